"""Draws a world's frames as text, as pictures or in a window, with the same header for every world."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rl_envs.drawing.canvas import Canvas
from rl_envs.drawing.overlay import Overlay, short
from rl_envs.drawing.picture import Box, pygame_module
from rl_envs.drawing.window import Window
from rl_envs.rendering.overlay import check_kind, given, optimal_policy, optimal_values, visits
from rl_envs.worlds.world import Frame, World

if TYPE_CHECKING:
    from rl_envs.options import Option

HEADER, FOOTER, MARGIN = 40, 34, 14  # pixels


class History:
    """The history of an episode, for drawing.

    Args:
        num_states: S.
        num_actions: A.
    """

    def __init__(self, num_states: int, num_actions: int) -> None:
        self.begun = False  # whether there was a reset
        self._state_counts = np.zeros(num_states, dtype=np.int64)
        self._action_counts = np.zeros(num_actions, dtype=np.int64)
        self._action_rewards = np.zeros(num_actions)
        self._option: str | None = None
        self._option_policy: np.ndarray | None = None

    def begin(self, state: int) -> None:
        """Start an episode in this state."""
        self.begun = True
        self._state, self._steps, self._total_reward = state, 0, 0.0
        self._action: int | None = None
        self._reward: float | None = None
        self._previous_state: int | None = None
        self._option = self._option_policy = None
        self._action_counts[:] = 0
        self._action_rewards[:] = 0
        self._state_counts[state] += 1

    def add(self, action: int, reward: float, state: int) -> None:
        """Add a step that led to this state."""
        self._previous_state = self._state
        self._state, self._action, self._reward = state, action, reward
        self._steps += 1
        self._total_reward += reward
        self._action_counts[action] += 1
        self._action_rewards[action] += reward
        self._state_counts[state] += 1

    def follow(self, option: Option | str | None) -> None:
        """Set the option that the agent follows, if any; a name alone does not show what the option does."""
        if option is None or isinstance(option, str):
            self._option, self._option_policy = option, None
            return
        if not hasattr(option, "policy"):
            raise TypeError(f"option must be an Option, the name of one or None, but is {option!r}")
        shape = len(self._state_counts), len(self._action_counts)
        if option.policy.shape != shape:
            raise ValueError(
                f"option {option.name!r} must have a policy {shape} as the world, not {option.policy.shape}"
            )
        self._option, self._option_policy = option.name, option.policy

    def frame(self) -> Frame:
        """The current frame."""
        return Frame(
            state=self._state,
            action=self._action,
            reward=self._reward,
            steps=self._steps,
            total_reward=self._total_reward,
            action_counts=self._action_counts.copy(),
            state_counts=self._state_counts.copy(),
            action_rewards=self._action_rewards.copy(),
            previous_state=self._previous_state,
            option=self._option,
            option_policy=self._option_policy,
        )


class Renderer:
    """Draws one world, frame by frame.

    Args:
        world: what to draw.
        render_mode: "ansi" for text, "rgb_array" for pictures, "human" for a window, None for nothing.
        fps: the largest number of frames per second in the window.
        render_overlay: "value", "policy" or "visits" to draw over the picture, or None.

    Raises:
        ValueError: an unknown overlay.
        DependencyNotInstalled: a mode that needs pygame, which is missing.
    """

    def __init__(self, world: World, render_mode: str | None, fps: int, render_overlay: str | None = None) -> None:
        check_kind(render_overlay)
        if render_mode in ("human", "rgb_array"):
            pygame_module()  # if it is missing, fail now and not at the first picture
        self._world = world
        self._mode = render_mode
        self._kind = render_overlay
        self._exact: Overlay | None = None
        self._given: Overlay | None = None  # an agent's numbers, shown instead of render_overlay
        self._window = Window(world.name, fps)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of every picture of this world, in pixels; both even, as video codecs want them."""
        width, height = self._world.drawing.size
        return 2 * ((width + 2 * MARGIN + 1) // 2), 2 * ((height + HEADER + FOOTER + 1) // 2)

    def draw(self, frame: Frame) -> str | np.ndarray | None:
        """Draw a frame.

        Args:
            frame: the frame.

        Returns:
            Text in mode "ansi", a fresh picture uint8 [H, W, 3] in mode "rgb_array", None in mode "human".
        """
        overlay = self._overlay(frame)
        if self._mode == "ansi":
            return self._text(frame, overlay)
        canvas = self._paint(frame, overlay)
        if self._mode == "rgb_array":
            return canvas.pixels()
        self._window.show(canvas.pixels())
        return None

    def lay_over(self, values: Any, policy: Any, title: str) -> None:
        """Show an agent's values or policy instead of `render_overlay`; with neither, show that again.

        Args:
            values: of states [S], or of states and actions [S, A], or None.
            policy: an action for every state [S], probabilities [S, A], or None.
            title: what they are, for the legend.

        Raises:
            ValueError: an array of the wrong shape or with impossible entries.
        """
        if values is None and policy is None:
            self._given = None
        else:
            self._given = self._as_shown(given(self._world.mdp, values=values, policy=policy, title=title))

    def close(self) -> None:
        """Close the window if there is one; closing twice is fine."""
        self._window.close()

    def _overlay(self, frame: Frame) -> Overlay | None:
        """The current overlay."""
        if self._given is not None or self._kind is None:
            return self._given
        if self._kind == "visits":
            return visits(self._world.mdp, frame.state_counts)
        if self._exact is None:
            self._exact = self._as_shown(self._solved())
        return self._exact

    def _solved(self) -> Overlay:
        """The world's exact solution, computed when it is first shown; raises ValueError if there is none."""
        from rl_envs.exact import truth

        answers, mdp = truth(self._world), self._world.mdp
        if self._kind == "policy":
            return optimal_policy(mdp, answers.optimal_actions)
        return optimal_values(mdp, answers.v_star, answers.q_star)

    def _as_shown(self, overlay: Overlay) -> Overlay:
        """The overlay, without action values if the picture does not show them."""
        return overlay if self._world.drawing.shows_action_values else replace(overlay, action_values=None)

    def _text(self, frame: Frame, overlay: Overlay | None) -> str:
        lines = [" | ".join(self._caption(frame)), self._world.drawing.text(frame)]
        if overlay is not None:
            lines.append(_overlay_in_words(overlay, self._world, frame))
        return "\n".join(lines) + "\n"

    def _caption(self, frame: Frame) -> list[str]:
        """The last step in words, with the option at the end."""
        parts = [f"step {frame.steps}", f"total reward {short(frame.total_reward)}"]
        if frame.action is not None and frame.reward is not None:
            parts.append(f"took {self._world.action_names[frame.action]}, reward {short(frame.reward)}")
        if frame.option is not None:
            parts.append(f"option {frame.option}")
        return parts

    def _paint(self, frame: Frame, overlay: Overlay | None) -> Canvas:
        width, height = self.size
        area = Box(MARGIN, HEADER, width - 2 * MARGIN, height - HEADER - FOOTER)
        canvas = Canvas(width, height, area, overlay)
        canvas.text((MARGIN, HEADER / 2), self._world.name, 17, align="left")
        caption = self._caption(frame)
        if overlay is not None:
            _legend(canvas, Box(width / 3, 0, width * 2 / 3 - MARGIN, HEADER), overlay)
        elif frame.option is not None:
            canvas.text((width - MARGIN, HEADER / 2), caption.pop(), 13, "blue", align="right", longest=width / 2)
        below = (MARGIN, height - FOOTER / 2)
        canvas.text(below, " | ".join(caption), 12, align="left", longest=width - 2 * MARGIN)
        self._world.drawing.paint(canvas, frame)
        return canvas


def _legend(canvas: Canvas, box: Box, overlay: Overlay) -> None:
    """The overlay's legend, at the right end of the header."""
    middle = box.center[1]
    if overlay.values is None:
        canvas.text((box.right, middle), overlay.title, 12, align="right", longest=box.width)
        return
    low, high = (short(number) for number in overlay.range)
    scale = Box(box.right - 44 - 90, middle - 6, 90, 12)
    canvas.heat_scale(scale, low, high)
    canvas.text((scale.x - 48, middle), overlay.title, 12, align="right", longest=scale.x - 48 - box.x)


def _overlay_in_words(overlay: Overlay, world: World, frame: Frame) -> str:
    """The overlay's numbers for the current state, as text."""
    parts = []
    missing = "none: the episode is over" if world.mdp.terminal_states[frame.state] else "none"
    if overlay.values is not None:
        parts.append(f"{overlay.title} here {overlay.number(frame.state) or missing}")
    if overlay.policy is not None:
        weights = overlay.policy[frame.state]
        names = [name for name, weight in zip(world.action_names, weights.tolist(), strict=True) if weight >= 0.01]
        parts.append(f"{overlay.title}: {', '.join(names) or missing}")
    return " | ".join(parts)
