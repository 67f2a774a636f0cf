"""Fits y = 3x - 2 to noisy points by gradient descent. Plain Python: no packages to install."""

import argparse
import json
import random
import time


def points(count, seed):
    rng = random.Random(seed)
    xs = [rng.uniform(-1, 1) for _ in range(count)]
    return [(x, 3 * x - 2 + rng.gauss(0, 0.1)) for x in xs]


def loss(weight, bias, data):
    return sum((weight * x + bias - y) ** 2 for x, y in data) / len(data)


def step(weight, bias, batch, rate):
    errors = [(weight * x + bias - y, x) for x, y in batch]
    slope = 2 * sum(error * x for error, x in errors) / len(batch)
    shift = 2 * sum(error for error, _ in errors) / len(batch)
    return weight - rate * slope, bias - rate * shift


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--learning-rate", type=float, default=0.1)
    options = parser.parse_args()

    training, held_out = points(512, seed=1), points(128, seed=2)
    weight = bias = 0.0
    for epoch in range(1, options.epochs + 1):
        begun = time.monotonic()
        for start in range(0, len(training), 32):
            weight, bias = step(weight, bias, training[start : start + 32], options.learning_rate)
        metrics = {
            "epoch": epoch,
            "loss": round(loss(weight, bias, training), 5),
            "val_loss": round(loss(weight, bias, held_out), 5),
            "seconds": round(time.monotonic() - begun, 4),
        }
        print(json.dumps(metrics), flush=True)
    print(f"y = {weight:.3f} x + {bias:.3f}")


if __name__ == "__main__":
    main()
