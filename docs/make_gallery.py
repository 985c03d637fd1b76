"""Draw one picture of every world, and a few with overlays, into docs/gallery: `python docs/make_gallery.py`.

The pictures are the same at every run: seeds and actions are fixed.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

from rl_envs.options import hallway_options
from rl_envs.registry import WORLDS, world_id

GALLERY = Path(__file__).parent / "gallery"


@dataclass(frozen=True)
class Scene:
    """What a picture shows: the first state, the actions and the overlay.

    Attributes:
        actions: to take; None for `steps` random ones.
        steps: number of random actions.
        overlay: "value", "policy", "visits" or None.
        start: the first state, or None to draw it.
        option: name of the hallway option that is active, or None.
        arguments: for the environment.
    """

    actions: Sequence[Any] | None = None
    steps: int = 0
    overlay: str | None = None
    start: int | None = None
    option: str | None = None
    arguments: dict[str, Any] = field(default_factory=dict)


# A typical scene for each world.
SCENES = {
    "LineWalk": Scene([1, 1, 0, 1]),
    "LineBalance": Scene([2, 2, 1]),
    "RandomMDP": Scene([0, 1, 2, 0, 1]),
    "Bandit": Scene(steps=40, arguments={"std": 0.5}),
    "BernoulliBandit": Scene(steps=40),
    "BanditTestbed": Scene(steps=60),
    "RandomWalk": Scene(steps=6),
    "SubtaskGrid": Scene([0, 1]),
    "FourRooms": Scene(start=14, option="room 0 to hallway 3,6"),
    "RobotGrasp": Scene([2, 0, 0, 2, 1]),
    "RobotGraspMulti": Scene([[2, 0, 0]]),
    "RobotGraspJoint": Scene([32, 24]),
}

# More pictures of the same worlds, by file name.
WITH_OVERLAYS = {
    "LineWalk-value": ("LineWalk", Scene([1, 1, 0, 1], overlay="value")),
    "SubtaskGrid-policy": ("SubtaskGrid", Scene([0, 3, 3, 0, 1], overlay="policy")),
    "FourRooms-value": ("FourRooms", Scene(start=14, overlay="value")),
    "RobotGrasp-value": ("RobotGrasp", Scene([2, 0, 0, 2, 1], overlay="value")),
}


def pictures() -> Iterator[tuple[str, np.ndarray]]:
    """The name of each picture and the picture, uint8 [H, W, 3]; a world without a scene shows its start."""
    for name in (name for name, entry in WORLDS.items() if entry.source is None):
        yield name, picture(name, SCENES.get(name, Scene()))
    for file_name, (name, scene) in WITH_OVERLAYS.items():
        yield file_name, picture(name, scene)


def picture(name: str, scene: Scene) -> np.ndarray:
    """One picture of a world, uint8 [H, W, 3]."""
    env = gym.make(world_id(name), render_mode="rgb_array", render_overlay=scene.overlay, **scene.arguments)
    env.action_space.seed(0)
    env.reset(seed=0, options={} if scene.start is None else {"state": scene.start})
    actions = [env.action_space.sample() for _ in range(scene.steps)] if scene.actions is None else scene.actions
    for action in actions:
        env.step(action)
    if scene.option is not None:
        options = {option.name: option for option in hallway_options(env.unwrapped.world)}
        env.unwrapped.show_option(options[scene.option])
    frame = env.render()
    env.close()
    return frame


def png(frame: np.ndarray) -> bytes:
    """A picture uint8 [H, W, 3] as the bytes of a small PNG file.

    Source: the PNG specification, third edition, sections 5 and 11.
    """
    height, width, _ = frame.shape
    even = frame & 0xFE  # nobody sees the last bit, and the files are a sixth smaller without it
    rows = np.concatenate([np.zeros((height, 1), dtype=np.uint8), even.reshape(height, -1)], axis=1)  # 0: no filter
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)  # 8 bits, red, green and blue
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def main() -> None:
    """Write all pictures."""
    GALLERY.mkdir(exist_ok=True)
    for name, frame in pictures():
        path = GALLERY / f"{name}.png"
        path.write_bytes(png(frame))
        print(f"docs/gallery/{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
