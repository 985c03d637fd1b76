"""Compare your own agent with ours: any function `train(env_fn, steps, seed) -> policy`."""

from stable_baselines3 import PPO

import baselines


def train_ppo(env_fn, steps, seed):
    """Stable-Baselines3's PPO; `env_fn()` makes an ordinary Gymnasium environment."""
    model = PPO("MlpPolicy", env_fn(), n_steps=256, gamma=env_fn.discount, seed=seed, device="cpu")
    return model.learn(steps)


if __name__ == "__main__":
    comparison = baselines.Comparison(worlds=("LineWalk",), agents=("Random", "QLearning"), library_runs=2, steps=2_000)
    results = baselines.compare(comparison, "results", functions={"PPO": train_ppo}, workers=2)
    for row in results.rows:
        print(f"{row.world:9} {row.agent:10} {row.final.mean():.3f}")
