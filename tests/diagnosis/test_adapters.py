"""What is read from whatever a training function gives back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from rl_envs.diagnosis.adapters import read

INDEX, ONE_HOT = np.arange(3), np.eye(3, dtype=np.float32)
Q = np.array([[1.0, 2.0], [5.0, 3.0], [0.0, 7.0]])


def test_nothing_given_back_is_judged_by_the_log_alone() -> None:
    assert read(None, INDEX, 2).depth == "training only"


def test_an_array_of_action_values() -> None:
    learned = read(Q, INDEX, 2)
    assert learned.q is not None
    assert learned.policy is not None
    np.testing.assert_array_equal(learned.q, Q)
    assert learned.policy.argmax(axis=1).tolist() == [1, 0, 1]


def test_rows_that_sum_to_one_are_probabilities() -> None:
    learned = read(np.array([[0.5, 0.5], [1.0, 0.0], [0.2, 0.8]]), INDEX, 2)
    assert learned.q is None
    assert learned.depth == "policy"


def test_whole_numbers_are_actions_and_others_are_values() -> None:
    assert read(np.array([0, 1, 1]), INDEX, 2).depth == "policy"
    values = read(np.array([0.5, 1.5, 2.5]), INDEX, 2).values
    assert values is not None
    assert values.tolist() == [0.5, 1.5, 2.5]


class Agent:
    """Answers about one observation at a time, as single-file agents often do."""

    def q_values(self, observation: int) -> np.ndarray:
        return Q[int(observation)]

    def predict(self, observation: int) -> int:
        return int(Q[int(observation)].argmax())


def test_an_object_that_takes_one_observation_at_a_time() -> None:
    learned = read(Agent(), INDEX, 2)
    assert learned.q is not None
    np.testing.assert_array_equal(learned.q, Q)


class Critic:
    """A policy and a value, asked in batches."""

    def __call__(self, observations: np.ndarray) -> np.ndarray:
        return Q[observations].argmax(axis=1)

    def value(self, observations: np.ndarray) -> np.ndarray:
        return Q[observations].max(axis=1)


def test_an_object_with_a_value_that_is_called_for_actions() -> None:
    learned = read(Critic(), INDEX, 2)
    assert learned.values is not None
    assert learned.policy is not None
    assert learned.values.tolist() == [2, 5, 7]
    assert learned.policy.argmax(axis=1).tolist() == [1, 0, 1]


def linear() -> nn.Linear:
    layer = nn.Linear(3, 2, bias=False)
    layer.weight.data = torch.from_numpy(Q.T.copy()).float()
    return layer


@pytest.mark.parametrize("observations", [INDEX, ONE_HOT], ids=["index", "one_hot"])
def test_a_network_is_asked_in_the_form_that_it_takes(observations: np.ndarray) -> None:
    learned = read(nn.Sequential(linear()), observations, 2)
    assert learned.q is not None
    np.testing.assert_allclose(learned.q, Q)
    assert not learned.certain  # a bare network's outputs may be preferences


def test_a_network_goes_on_training_where_it_was() -> None:
    network = nn.Sequential(linear(), nn.Dropout(0.5))
    network.train()
    read(network, ONE_HOT, 2)
    assert network.training


def test_a_plain_function_of_observations() -> None:
    assert read(lambda observations: Q[observations].argmax(axis=1), INDEX, 2).depth == "policy"


def test_stable_baselines3s_models_say_how_they_form_targets() -> None:
    from stable_baselines3 import A2C, DQN

    from rl_envs.diagnosis.probes import ruler
    from rl_envs.diagnosis.watched_env import EnvFactory

    factory = EnvFactory(ruler(), observation="index", seed=0)
    dqn = read(DQN("MlpPolicy", factory(), target_update_interval=70, device="cpu"), INDEX, 2)
    assert dqn.q is not None
    assert (dqn.q.shape, dqn.target_interval) == ((3, 2), 70)
    a2c = read(A2C("MlpPolicy", factory(), n_steps=7, device="cpu"), INDEX, 2)
    assert a2c.values is not None
    assert a2c.policy is not None
    assert a2c.family is not None
    assert a2c.family.length == 7
    np.testing.assert_allclose(a2c.policy.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (3.5, TypeError, "must give back an object with value"),
        (np.zeros((2, 2)), ValueError, r"has shape \(2, 2\)"),
        (np.array([0, 1, 5]), ValueError, r"actions must be in 0\.\.1, but are \[0, 1, 5\]"),
        (nn.Linear(9, 2), TypeError, "a network must take a batch of observations"),
        (nn.Linear(3, 7), ValueError, "a network must answer with"),
    ],
)
def test_what_cannot_be_read_is_refused(given: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        read(given, ONE_HOT, 2)


def test_a_value_of_the_wrong_shape_is_refused() -> None:
    class Wrong:
        def value(self, observations: np.ndarray) -> np.ndarray:
            return np.zeros(2 * np.size(observations))

    with pytest.raises(ValueError, match=r"value\(observations\) must answer with shape \(3,\)"):
        read(Wrong(), INDEX, 2)
