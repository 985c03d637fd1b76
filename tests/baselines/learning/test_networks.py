"""Stacked networks, their optimisers and what they see: each run as if alone, and the numbers of torch's own."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium import spaces

from baselines.learning.encoding import Encoder
from baselines.learning.networks import Perceptron, StackedNetworks
from baselines.learning.optimisers import Adam, Descent, Optimiser, RMSprop
from baselines.training.task import make_task

ARCHITECTURES = {
    "policy": Perceptron((3, 8, 6, 2), "tanh", "orthogonal", output_gain=0.01),
    "value": Perceptron((3, 5, 1)),
}


def seeds(runs: range) -> list[np.random.SeedSequence]:
    return [np.random.SeedSequence([1, run]) for run in runs]


def alone(networks: StackedNetworks, name: str, run: int) -> torch.nn.Sequential:
    """One run's network built of torch's own layers."""
    architecture, layers = networks.architectures[name], []
    first = sum(
        (i + 1) * o
        for other in list(ARCHITECTURES)[: list(ARCHITECTURES).index(name)]
        for i, o in ARCHITECTURES[other].layers
    )
    for inputs, outputs in architecture.layers:
        layer = torch.nn.Linear(inputs, outputs)
        with torch.no_grad():
            layer.weight[:] = networks.parameters[run, first : first + inputs * outputs].view(inputs, outputs).T
            layer.bias[:] = networks.parameters[run, first + inputs * outputs : first + (inputs + 1) * outputs]
        first += (inputs + 1) * outputs
        layers += [layer, torch.nn.ReLU() if architecture.activation == "relu" else torch.nn.Tanh()]
    return torch.nn.Sequential(*layers[:-1])


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_run_answers_as_its_own_network_would(name: str) -> None:
    networks = StackedNetworks.initial(ARCHITECTURES, seeds(range(4)))
    features = torch.tensor(np.random.default_rng(0).normal(size=(4, 7, 3)), dtype=torch.float32)
    for run in range(4):
        expected = alone(networks, name, run)(features[run])
        torch.testing.assert_close(networks.output(name, features)[run], expected, rtol=1e-5, atol=1e-6)


def test_gradients_of_one_run_do_not_depend_on_the_others() -> None:
    features = torch.tensor(np.random.default_rng(0).normal(size=(4, 7, 3)), dtype=torch.float32)

    def gradient(runs: slice, scale: float) -> torch.Tensor:
        networks = StackedNetworks.initial(ARCHITECTURES, seeds(range(4))[runs])
        out = [networks.output(name, features[runs]).square().mean(dim=(1, 2)) for name in ARCHITECTURES]
        loss = out[0] + out[1]
        loss = torch.cat([loss[:1], scale * loss[1:]])
        networks.backward(loss)
        return networks.gradient

    torch.testing.assert_close(gradient(slice(0, 4), 1.0)[0], gradient(slice(0, 1), 1.0)[0], rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(gradient(slice(0, 4), 1e6)[0], gradient(slice(0, 1), 1.0)[0], rtol=1e-5, atol=1e-7)


def test_gradients_are_those_of_finite_differences() -> None:
    architectures = {"value": Perceptron((3, 5, 1), "tanh")}
    networks = StackedNetworks.initial(architectures, seeds(range(2)))
    features = torch.tensor(np.random.default_rng(0).normal(size=(2, 7, 3)), dtype=torch.float32)

    def loss(values: torch.Tensor) -> torch.Tensor:
        return StackedNetworks(architectures, values).output("value", features).square().mean(dim=(1, 2))

    networks.backward(networks.output("value", features).square().mean(dim=(1, 2)))
    base = networks.parameters.double()
    for entry in (0, 9, 17, networks.parameters.shape[1] - 1):
        step = torch.zeros_like(base)
        step[:, entry] = 1e-3
        change = (loss((base + step).float()) - loss((base - step).float())) / 2e-3
        torch.testing.assert_close(networks.gradient[:, entry], change.detach(), rtol=1e-2, atol=1e-4)


def test_each_run_is_clipped_by_its_own_norm() -> None:
    networks = StackedNetworks(
        ARCHITECTURES, torch.zeros(3, StackedNetworks.initial(ARCHITECTURES, seeds(range(1))).parameters.shape[1])
    )
    networks.gradient[0, :2] = torch.tensor([30.0, 40.0])  # norm 50
    networks.gradient[1, :2] = torch.tensor([0.3, 0.4])  # norm 0.5
    networks.clip_gradient(5.0)
    np.testing.assert_allclose(networks.gradient[:, :2], [[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]], rtol=1e-6)


def test_a_run_begins_with_the_same_weights_in_any_population() -> None:
    few, many = (StackedNetworks.initial(ARCHITECTURES, seeds(runs)).parameters for runs in (range(2, 4), range(6)))
    assert torch.equal(few, many[2:4])
    assert len(torch.unique(many, dim=0)) == 6


def test_orthogonal_layers_are_orthogonal_and_of_the_stated_gain() -> None:
    networks = StackedNetworks.initial(ARCHITECTURES, seeds(range(3)))
    hidden = networks.parameters[:, 32 : 32 + 48].view(3, 8, 6)  # after 3 * 8 weights and 8 biases
    torch.testing.assert_close(hidden.mT @ hidden, (2 * torch.eye(6)).expand(3, -1, -1))
    last = networks.parameters[:, 86 : 86 + 12].view(3, 6, 2)
    torch.testing.assert_close(last.mT @ last, (1e-4 * torch.eye(2)).expand(3, -1, -1))
    assert not networks.parameters[:, 24:32].any()


def test_uniform_layers_stay_within_one_over_the_root_of_their_inputs() -> None:
    values = StackedNetworks.initial({"q": Perceptron((16, 100))}, seeds(range(5))).parameters
    assert 0.249 < values.abs().max() <= 0.25
    # The mean of 8,500 numbers has standard error 0.25 / sqrt(3 * 8500) = 0.0016.
    assert abs(values.mean()) < 0.0064


def test_copies_have_weights_of_their_own() -> None:
    networks = StackedNetworks.initial(ARCHITECTURES, seeds(range(3)))
    copy, part = networks.copy(), networks.take(np.array([2]))
    networks.parameters.zero_()
    assert copy.parameters.any()
    assert torch.equal(part.parameters[0], copy.parameters[2])
    features = torch.ones(3, 1, 3)
    assert not networks.output("value", features).any()
    assert copy.output("value", features).any()


def test_parameters_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="parameters must have 126 entries a run, but has 7"):
        StackedNetworks(ARCHITECTURES, torch.zeros(2, 7))


@pytest.mark.parametrize(
    ("own", "theirs"),
    [
        (Adam((3, 5)), lambda p: torch.optim.Adam(p, lr=0.01)),
        (Adam((3, 5), beta1=0.5, beta2=0.9, epsilon=0.1), lambda p: torch.optim.Adam(p, 0.01, (0.5, 0.9), eps=0.1)),
        (RMSprop((3, 5)), lambda p: torch.optim.RMSprop(p, lr=0.01, alpha=0.99, eps=1e-5)),
        (RMSprop((3, 5), decay=0.5, epsilon=0.1), lambda p: torch.optim.RMSprop(p, lr=0.01, alpha=0.5, eps=0.1)),
        (Descent((3, 5)), lambda p: torch.optim.SGD(p, lr=0.01)),
    ],
    ids=["Adam", "Adam, other settings", "RMSprop", "RMSprop, other settings", "Descent"],
)
def test_optimisers_give_the_numbers_of_torchs_own(own: Optimiser, theirs) -> None:
    generator = np.random.default_rng(0)
    values = torch.tensor(generator.normal(size=(3, 5)), dtype=torch.float32)
    parameter = torch.nn.Parameter(values.clone())
    optimiser = theirs([parameter])
    for _ in range(20):
        parameter.grad = torch.tensor(generator.normal(size=(3, 5)), dtype=torch.float32)
        optimiser.step()
        own.step(values, parameter.grad, 0.01)
    torch.testing.assert_close(values, parameter.detach(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("cls", [Adam, RMSprop, Descent])
def test_runs_that_do_not_learn_keep_weights_and_memory_and_the_others_move_as_if_alone(cls: type[Optimiser]) -> None:
    generator = np.random.default_rng(0)
    some, single = cls((3, 4)), cls((1, 4))
    values, own = torch.ones(3, 4), torch.ones(1, 4)
    for turn in range(6):
        gradient = torch.tensor(generator.normal(size=(1, 4)), dtype=torch.float32)
        if turn % 2:  # run 1 learns every time, run 2 every other time
            some.step(values, torch.cat([gradient, gradient]), 0.1, np.array([1, 2]))
        else:
            some.step(values, gradient, 0.1, np.array([1]))
        single.step(own, gradient, 0.1)
    assert torch.equal(values[1], own[0])
    assert torch.equal(values[0], torch.ones(4))
    assert not torch.equal(values[2], values[1])
    assert all(not kept[0].any() for kept in some.memory.values())


def test_small_numbers_are_flushed_only_inside_an_optimiser() -> None:
    values, gradient = torch.zeros(1, 1), torch.full((1, 1), 1e-30)
    optimiser = RMSprop((1, 1))
    optimiser.step(values, gradient, 0.01)  # its square would be a subnormal number
    assert optimiser.memory["square"].item() == 0.0
    assert (torch.tensor(1e-38) * 0.01).item() > 0.0


def test_numbers_become_zeros_with_a_one_and_boxes_stay_as_they_are() -> None:
    five = Encoder(spaces.Discrete(5, start=2))
    np.testing.assert_array_equal(five(np.array([2, 6]), (2, 1)), [[[1, 0, 0, 0, 0]], [[0, 0, 0, 0, 1]]])
    joints = Encoder(spaces.MultiDiscrete([2, 3]))
    np.testing.assert_array_equal(joints(np.array([[1, 0], [0, 2]]), (2,)), [[0, 1, 1, 0, 0], [1, 0, 0, 0, 1]])
    box = Encoder(spaces.Box(-1, 1, (2, 2), dtype=np.float64))
    features = box(np.arange(8.0).reshape(2, 2, 2), (2,))
    np.testing.assert_array_equal(features, np.arange(8.0).reshape(2, 4))
    assert features.dtype == torch.float32
    assert (five.num_features, joints.num_features, box.num_features) == (5, 5, 4)


def test_features_do_not_share_memory_with_observations() -> None:
    observation = np.zeros((1, 2), dtype=np.float32)
    features = Encoder(spaces.Box(-1, 1, (2,)))(observation, (1,))
    observation[:] = 5.0
    assert not features.any()


def test_what_no_network_can_be_shown_is_refused() -> None:
    with pytest.raises(TypeError, match="MultiDiscrete or Box observations, not MultiBinary"):
        Encoder(spaces.MultiBinary(3))


def test_look_alike_states_are_asked_about_once() -> None:
    task = make_task("BanditTestbed")
    features, seen_in_state = Encoder(task.observation_space).distinct_observations(task.observation_in_state)
    assert features.shape == (1, 1)
    assert not seen_in_state.any()
    assert len(seen_in_state) == 2000
    task = make_task("RobotGrasp")
    encode = Encoder(task.observation_space)
    features, seen_in_state = encode.distinct_observations(task.observation_in_state)
    every_state = encode(task.observation_in_state, (task.truth.mdp.num_states,))
    assert torch.equal(features[seen_in_state], every_state)
    assert len(torch.unique(features, dim=0)) == len(features)
