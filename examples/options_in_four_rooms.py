"""Plan with options in FourRooms, exactly: `python examples/options_in_four_rooms.py`."""

from __future__ import annotations

import gymnasium as gym
import numpy as np

import rl_envs  # noqa: F401 - registers the worlds
from rl_envs.options import (
    evaluate_options,
    hallway_options,
    interrupted,
    option_model,
    plan,
    primitive_options,
    sweep_values,
)


def main() -> None:
    env = gym.make("rl_envs/FourRooms-v0", render_mode="ansi")
    world = env.unwrapped.world
    mdp, start = world.mdp, world.mdp.start

    # Two options per room, derived from the map: each moves to one of the room's hallways.
    options = hallway_options(world)
    primitives = primitive_options(mdp, world.action_names)
    option = options[0]
    model = option_model(mdp, option)
    corner = world.layout.grid.cell_at("corner", (1, 1))
    print(f"From the upper left corner, {option.name!r} takes {model.duration[corner]:.1f} steps on average.\n")

    # Values spread room by room with options, and cell by cell with primitive actions.
    print("sweeps            " + "".join(f"{sweep:5}" for sweep in range(0, 15, 2)))
    for name, choices in (("options", options), ("primitive actions", primitives)):
        known = (sweep_values(mdp, choices, 14) > 0).sum(axis=1)
        print(f"{name:18}" + "".join(f"{cells:5}" for cells in known[::2]) + "  cells with a value")

    best = plan(mdp, primitives)
    alone = plan(mdp, options)
    both = plan(mdp, (*options, *primitives))
    print("\nvalue from the start")
    for name, v in (("primitive actions", best.v), ("options", alone.v), ("both", both.v)):
        print(f"{name:18}{start @ v:.8f}")
    print("Adding options to the primitive actions loses nothing.\n")

    # A uniform policy over options does better if options are interrupted as soon as a new choice is worth more.
    may_start = np.stack([option.initiation for option in options], axis=1)
    at_random = may_start / np.maximum(may_start.sum(axis=1, keepdims=True), 1)
    v = evaluate_options(mdp, options, at_random)
    v_interrupted = evaluate_options(mdp, interrupted(mdp, options, at_random), at_random)
    print(f"uniform policy over options: {start @ v:.4f}; with interruption: {start @ v_interrupted:.4f}\n")

    # One episode, each option followed to its end.
    generator = np.random.default_rng(0)
    state, _ = env.reset(seed=0, options={"state": corner})
    steps, over = 0, False
    while not over:
        chosen = options[int(alone.q[state].argmax())]
        env.unwrapped.show_option(chosen)
        if steps == 0:
            print(env.render())
        began, ended = steps, False
        while not (over or ended):
            action = generator.choice(mdp.num_actions, p=chosen.policy[state])
            state, _, terminated, truncated, _ = env.step(action)
            steps += 1
            over = terminated or truncated
            ended = generator.random() < chosen.termination[state]
        print(f"{chosen.name}: {steps - began} steps")
    print(f"at the goal after {steps} steps")
    env.close()


if __name__ == "__main__":
    main()
