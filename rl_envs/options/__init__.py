"""Options: policies that run for several steps, their exact models, and planning with them."""

from rl_envs.options.from_map import Subtask, hallway_options, hallways, subtask_options, subtasks
from rl_envs.options.option import Option, OptionModel, option_model, primitive_options
from rl_envs.options.planning import (
    OptionPlan,
    evaluate_options,
    flat_policy,
    interrupted,
    plan,
    sweep_values,
)

__all__ = [
    "Option",
    "OptionModel",
    "OptionPlan",
    "Subtask",
    "evaluate_options",
    "flat_policy",
    "hallway_options",
    "hallways",
    "interrupted",
    "option_model",
    "plan",
    "primitive_options",
    "subtask_options",
    "subtasks",
    "sweep_values",
]
