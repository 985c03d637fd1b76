"""HierarchicalQ: Q-learning over options, courses of action that last until a subtask is done."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from baselines.agents.tabular import TabularAgent, TabularConfig
from baselines.agents.task_options import FollowedOptions, options_of, parts_of, refuse_dead_ends
from baselines.learning.exploration import argmax_random_ties, epsilon_greedy_policy, greedy_policy, sample_action
from baselines.learning.transition import Transition
from baselines.learning.updates import option_value_on_arrival, smdp_target, subtask_target
from baselines.training.task import TaskLike, make_task
from rl_envs.names import unknown
from rl_envs.options import Option

# No option runs: the next one is still to be chosen.
NONE = -1

OPTION_POLICIES = ("exact", "learned")


@dataclass(frozen=True)
class HierarchicalQConfig(TabularConfig):
    """Hyperparameters, besides those of every agent with a table."""

    primitives: bool = True
    """whether single actions are options of one step too; without them, only the best policy over the subtasks can be
    found, which may be suboptimal"""
    intra_option: bool = True
    """whether every step updates all options that would have taken the same action; otherwise an option is updated
    once, at its end (SMDP Q-learning)"""
    option_policies: str = "exact"
    """policies of the options: exact (each subtask's optimal policy) or learned (Q-learning on its own reward)"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.option_policies not in OPTION_POLICIES:
            raise ValueError(unknown("option_policies", self.option_policies, OPTION_POLICIES))


@final
class HierarchicalQ(TabularAgent):
    """Q-learning over options whose own policies are given or learned (Sutton, Precup & Singh 1999).

    An option is a course of action: it may start in some states, acts by a policy of its own, and ends on arriving in
    some states. Here each option is a part of the task: to get the key, or to walk from a room to one of its hallways.
    A single action is an option too, which may start anywhere and ends after one step. The agent chooses an option,
    epsilon-greedily among those that may start, follows it to its end and chooses the next. A few good choices then do
    what took many good actions, and what is found at the end is known far away after a few updates.

    Above, Q(s, o) says what it is worth to start option o in state s. From its start in s to its end in s', k steps
    later, an option is like one long action, so SMDP Q-learning learns from it once, at its end:

        Q(s, o) <- Q(s, o) + alpha [R_1 + gamma R_2 + ... + gamma^(k-1) R_k + gamma^k max_o' Q(s', o') - Q(s, o)]

    where o' goes over the options that may start in s'. If the episode terminates on the way, nothing is added for s'.
    If the time limit cuts it off in s', the option is cut off with it, and what is added is what going on with it would
    have been worth, Q(s', o).

    SMDP Q-learning learns nothing about the states on the way. Intra-option learning does, at every step, and about
    every option that would have done the same, whichever one really runs:

        Q(S, o) <- Q(S, o) + alpha [R + gamma U(S', o) - Q(S, o)]      for all o that take A in S
        U(s', o) = Q(s', o) where o goes on,  max_o' Q(s', o') where it ends

    Below, an option's policy is its subtask's exact optimal policy; or it is learned too, from every step that is taken
    inside the subtask, by Q-learning in a table of the subtask's own, on a reward of 1 for arriving in its goal:

        Q_g(S, A) <- Q_g(S, A) + alpha [T - Q_g(S, A)]
        T = 1 if S' is in g's goal,  gamma max_a Q_g(S', a) if S' is in g's region,  0 elsewhere: g has failed

    Args:
        task: what to learn: a world with stages (SubtaskGrid), whose subtasks lead from each stage to the next, or one
            whose states are the cells of a map with rooms and hallways (FourRooms). It must show the state itself.
        runs: see `Agent`.
        seed: see `Agent`.
        config: a `HierarchicalQ.Config`.

    Attributes:
        subtasks: the parts of the task.
        options: what is chosen from: an option for each subtask, and then one for each action if `primitives`. Their
            policies in here are the exact ones, also where learned ones are followed (`options_of` has those).
        q: the estimated values of starting each option, [R, S, O] float64; also of going on with it where it may not
            start.
        updates: how often each of them has been updated, int64, of the same shape.
        option: the number of the option that each run follows, [R] int64; -1 where the next one is still to be chosen.
        subtask_q: the estimated action values inside each of G subtasks, [R, G, S, A] float64; G = 0 where the policies
            are exact.
        subtask_updates: how often each of them has been updated, int64, of the same shape.

    Raises:
        TypeError: a world that has neither subtasks nor hallways, or that does not show its state.
        ValueError: options alone, in a world with a state in which none may start.

    Differences from the paper:
    - alpha and epsilon fall on schedules, alpha for each option in each state by itself, epsilon with the environment
      steps; ties are broken at random.
    - The score is that of following the chosen options to their ends, as in learning. `policy` and greedy play, which
      see one observation at a time and remember no option, choose anew at every step: this is to interrupt an option
      wherever another looks better (their section 4), and needs values in all states, which intra-option learning gives
      and SMDP Q-learning does not.
    - In intra-option learning an option counts as taking an action if its policy gives it any probability. That is
      exact for policies without chance, such as the exact ones; learned ones have chance only where values are tied.
    - Learned policies explore: the running option takes any action with probability epsilon. Where the episode ends
      inside a subtask the subtask has failed, so with the goal inside a room learned policies keep away from it, while
      the exact ones, made for the bare map, walk across.
    - Where the time limit cuts an episode off, the target bootstraps as said above, for the episode could have gone on.
    """

    Config = HierarchicalQConfig
    PRESETS = {
        # Chance everywhere: first targets count half, and exploring neither starts so high nor falls so low.
        "FourRooms": HierarchicalQConfig(step_size=0.5, step_size_half_life=10.0, epsilon=0.3, final_epsilon=0.3),
    }

    def __init__(
        self,
        task: TaskLike,
        *,
        runs: int | range = 1,
        seed: int = 0,
        config: HierarchicalQConfig | None = None,
    ) -> None:
        task = make_task(task)
        self._world, self._truth, self.subtasks = parts_of(task)
        super().__init__(task, runs=runs, seed=seed, config=config)
        self.options = options_of(self._world, self.subtasks, primitives=self.config.primitives)
        refuse_dead_ends(self.task, self._world, self.options)
        self._may_start = np.stack([option.initiation for option in self.options], axis=1)  # [S, O]
        self._runs = np.stack([option.runs for option in self.options], axis=1)  # [S, O]
        self._ends = np.stack([option.termination for option in self.options], axis=1)  # [S, O] each 0 or 1
        self._acts = np.stack([option.policy for option in self.options], axis=1)  # [S, O, A]
        self._run = np.arange(self.num_runs)
        self.option = np.full(self.num_runs, NONE)
        self.started_in = np.zeros(self.num_runs, dtype=np.int64)  # [R] the state
        self.earned = np.zeros(self.num_runs)  # [R] discounted to the option's start
        self.duration = np.zeros(self.num_runs, dtype=np.int64)  # [R] steps of the option so far

        learned = self.subtasks if self.config.option_policies == "learned" else ()
        self._num_learned = len(learned)
        self._followed = FollowedOptions(self._world.mdp, self._acts, self._ends, self._runs, len(learned))
        self.subtask_q = np.zeros((self.num_runs, len(learned), task.num_observations, task.num_actions))
        self.subtask_updates = np.zeros(self.subtask_q.shape, dtype=np.int64)
        nothing = np.zeros((task.num_observations, 0), dtype=np.bool_)
        self._goal = np.stack([part.goal for part in learned], axis=1) if learned else nothing  # [S, G]
        self._region = np.stack([part.region for part in learned], axis=1) if learned else nothing  # [S, G]

    def table_shape(self) -> tuple[int, int]:
        """A value for each option in each state."""
        return self.task.num_observations, len(self.subtasks) + self.config.primitives * self.task.num_actions

    def act(self, observation: np.ndarray, *, greedy: bool = False) -> np.ndarray:
        """The action of the option that each run follows, chosen first where there is none; or the greedy policy's."""
        state = self.task.observation_index(observation)
        if greedy:
            weights = greedy_policy(self.values(state))
            return sample_action(np.einsum("ro,roa->ra", weights, self._acting(state)), self.uniform(greedy=True))
        self._choose(state)
        return sample_action(self._following(state), self.uniform())

    def update(self, transition: Transition) -> dict[str, np.ndarray]:
        """Learn above, from options that have ended or from the step itself, and below, from the step.

        Args:
            transition: one step of every run, with the actions that `act` gave.

        Returns:
            "td_error" of the values of options, [R]; the mean where several have learned, 0 where none has.
        """
        state, next_state = (
            self.task.observation_index(transition.observation),
            self.task.observation_index(transition.next_observation),
        )
        self.earned += self.task.discount**self.duration * transition.reward
        self.duration += 1
        over = self._over(transition, next_state)
        if self.config.intra_option:
            td_error = self._learn_inside(transition, state, next_state)
        else:
            td_error = self._learn_at_the_end(transition, next_state, over)
        if self._num_learned:
            self._learn_subtasks(transition, state, next_state)
        self.option[over] = NONE
        self.steps += 1
        return {"td_error": td_error}

    def values(self, state: np.ndarray) -> np.ndarray:
        """The values of the options that may start in a state of each run, -inf for the others: [R, O]."""
        return np.where(self._may_start[state], self.q[self._run, state], -np.inf)

    def option_policy(self) -> np.ndarray:
        """Greedy among the options that may start, the probability shared equally among ties; 0 in terminal states.

        Returns:
            Probabilities [R, S, O], for `rl_envs.options.evaluate_options` beside others.
        """
        return greedy_policy(np.where(self._may_start, self.q, -np.inf)) * self._may_start

    def policy(self) -> np.ndarray:
        """The policy that chooses the best option again at every step, [R, S, A]; uniform in terminal states."""
        weights = self.option_policy()
        actions = np.einsum("rso,soa->rsa", weights[..., self._num_learned :], self._acts[:, self._num_learned :])
        if self._num_learned:
            learned = greedy_policy(self.subtask_q)  # [R, G, S, A]
            actions += np.einsum("rsg,rgsa->rsa", weights[..., : self._num_learned], learned)
        return np.where(self._world.mdp.terminal_states[:, None], 1 / self.task.num_actions, actions)

    def exact_score(self) -> np.ndarray:
        """The score of following each chosen option to its end, [R] (0 = uniform policy, 1 = optimal)."""
        # Run by run: a product of whole matrices would round differently in another population.
        values = np.array([self._world.mdp.start @ v for v in self._values()])
        return (values - self._truth.random_value) / self._gain

    def errors_by_state(self) -> np.ndarray:
        """The suboptimality in each state of following each chosen option to its end, [R, S]."""
        return self._truth.v_star - self._values()

    def options_of(self, run: int) -> tuple[Option, ...]:
        """The options of one run with the policies that it would follow greedily now, which may never end if learned.

        Args:
            run: which of the population's runs, counted from 0.

        Returns:
            As many as in `options`.
        """
        learned = greedy_policy(self.subtask_q[run])  # [G, S, A]
        return tuple(
            Option(option.name, option.initiation, policy, option.termination)
            for option, policy in zip(self.options, [*learned, *self._acts.transpose(1, 0, 2)[self._num_learned :]])
        )

    def parts(self) -> dict[str, object]:
        return {
            **super().parts(),
            "option": self.option,
            "started_in": self.started_in,
            "earned": self.earned,
            "duration": self.duration,
            "subtask_q": self.subtask_q,
            "subtask_updates": self.subtask_updates,
        }

    # Acting -----------------------------------------------------------------------------------------------------------

    def _choose(self, state: np.ndarray) -> None:
        """Let every run without an option choose one, epsilon-greedily among those that may start."""
        explore, choice = self.uniform(), self.uniform()  # drawn by all runs, so that all have drawn equally often
        best = argmax_random_ties(self.values(state), choice)
        anyone = argmax_random_ties(self._may_start[state], choice)
        without = self.option == NONE
        self.option = np.where(without, np.where(explore < self.epsilon, anyone, best), self.option)
        self.started_in = np.where(without, state, self.started_in)
        self.earned[without] = 0.0
        self.duration[without] = 0

    def _following(self, state: np.ndarray) -> np.ndarray:
        """The probabilities by which the option of each run acts, exploring where its policy is learned: [R, A]."""
        actions = self._acts[state, self.option]
        run = np.flatnonzero(self.option < self._num_learned)
        values = self.subtask_q[run, self.option[run], state[run]]
        actions[run] = epsilon_greedy_policy(values, self.epsilon)
        return actions

    def _acting(self, state: np.ndarray) -> np.ndarray:
        """The probabilities by which each option would act in a state of each run, without exploring: [R, O, A]."""
        actions = self._acts[state]
        actions[:, : self._num_learned] = greedy_policy(self.subtask_q[self._run, :, state])
        return actions

    def _over(self, transition: Transition, next_state: np.ndarray) -> np.ndarray:
        """Where a run's option ends, [R]: by its termination in the next state, or with the episode."""
        return (self._ends[next_state, self.option] == 1) | transition.terminated | transition.truncated

    # Learning ---------------------------------------------------------------------------------------------------------

    def _learn_at_the_end(self, transition: Transition, next_state: np.ndarray, over: np.ndarray) -> np.ndarray:
        """SMDP Q-learning: move the values of options that are over towards their targets; the errors, [R]."""
        next_q = self.q[self._run, next_state]  # [R, O]
        value = option_value_on_arrival(
            going_on_value=next_q[self._run, self.option],
            next_q=next_q,
            may_start=self._may_start[next_state],
            termination=self._ends[next_state, self.option],
        )
        target = smdp_target(self.earned, self.duration, transition.terminated, value, self.task.discount)
        td_error = np.zeros(self.num_runs)
        run = np.flatnonzero(over)
        td_error[run] = self._learn(run, self.started_in[run], self.option[run], target[run])
        return td_error

    def _learn_inside(self, transition: Transition, state: np.ndarray, next_state: np.ndarray) -> np.ndarray:
        """Intra-option learning: move the value of every option that might have done this; the mean errors, [R]."""
        acts_likewise = self._acting(state)[self._run, :, transition.action] > 0
        likewise = self._runs[state] & acts_likewise  # [R, O]
        next_q = self.q[self._run, next_state]  # [R, O]
        value = option_value_on_arrival(
            going_on_value=next_q,
            next_q=next_q[:, None],
            may_start=self._may_start[next_state][:, None],
            termination=self._ends[next_state],
        )
        one_step = np.ones((self.num_runs, 1), dtype=np.int64)
        target = smdp_target(
            transition.reward[:, None], one_step, transition.terminated[:, None], value, self.task.discount
        )
        td_error = np.zeros(likewise.shape)
        run, option = np.nonzero(likewise)
        td_error[run, option] = self._learn(run, state[run], option, target[run, option])
        return td_error.sum(axis=1) / np.maximum(likewise.sum(axis=1), 1)

    def _learn(self, run: np.ndarray, state: np.ndarray, option: np.ndarray, target: np.ndarray) -> np.ndarray:
        """Q(s, o) <- Q(s, o) + alpha [target - Q(s, o)] for some options of some runs, each once; the errors."""
        td_error = target - self.q[run, state, option]
        self.q[run, state, option] += self.step_size(self.updates[run, state, option]) * td_error
        self.updates[run, state, option] += 1
        return td_error

    def _learn_subtasks(self, transition: Transition, state: np.ndarray, next_state: np.ndarray) -> None:
        """Q-learning of each subtask in which the step was taken, whichever option took it."""
        next_q = self.subtask_q[self._run, :, next_state]  # [R, G, A]
        terminated = transition.terminated[:, None]
        target = subtask_target(
            self._goal[next_state], self._region[next_state], terminated, next_q, self.task.discount
        )
        run, part = np.nonzero(self._runs[state, : self._num_learned])
        entry = (run, part, state[run], transition.action[run])
        step_size = self.step_size(self.subtask_updates[entry])
        self.subtask_q[entry] += step_size * (target[run, part] - self.subtask_q[entry])
        self.subtask_updates[entry] += 1

    # Scoring ----------------------------------------------------------------------------------------------------------

    def _values(self) -> np.ndarray:
        """The exact value of each state when the options chosen are followed to their ends, [R, S]."""
        policy = self.option_policy()
        return np.stack(
            [self._followed.values(policy[run], greedy_policy(self.subtask_q[run])) for run in range(self.num_runs)]
        )

    @cached_property
    def _gain(self) -> float:
        """What the optimum is worth more than the uniform policy."""
        self._truth.score(self._truth.optimal_policy)  # refuses a world in which that is nothing
        return self._truth.optimal_value - self._truth.random_value
