"""Handwritten digits: from 1,797 small grey pictures to a network that reads them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from orchestrator_task import log_metric, progress, seed
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

SIDE = 8  # pixels
INK = 16.0  # the darkest a pixel can be
PIXELS = [f"pixel_{row}_{column}" for row in range(SIDE) for column in range(SIDE)]


class Ingested(NamedTuple):
    table: pd.DataFrame


class Features(NamedTuple):
    table: pd.DataFrame


class Trained(NamedTuple):
    model: MLPClassifier


class Evaluated(NamedTuple):
    accuracy: float
    metrics: dict[str, Any]


def ingest() -> Ingested:
    """One row per picture: 64 pixels from 0 (paper) to 16 (ink), and the digit that was meant."""
    data = load_digits()
    table = pd.DataFrame(data.data.astype(np.float32), columns=PIXELS)
    table["label"] = data.target.astype(np.int64)
    print(f"{len(table)} pictures of {SIDE} x {SIDE} pixels")
    return Ingested(table)


def features(table: pd.DataFrame, test_share: float = 0.25, random_seed: int = 7) -> Features:
    """Pixels from 0 to 1, the ink of each row and column, and which pictures are kept for the test."""
    pixels = table[PIXELS].to_numpy(dtype=np.float32) / INK
    pictures = pixels.reshape(-1, SIDE, SIDE)
    made = pd.DataFrame(pixels, columns=PIXELS)
    for number in range(SIDE):
        made[f"ink_row_{number}"] = pictures[:, number, :].mean(axis=1)
        made[f"ink_column_{number}"] = pictures[:, :, number].mean(axis=1)
    made["label"] = table["label"].to_numpy()
    test = train_test_split(
        np.arange(len(made)), test_size=test_share, random_state=random_seed, stratify=made["label"]
    )[1]
    made["test"] = False
    made.loc[test, "test"] = True
    print(
        f"{made.shape[1] - 2} features, {len(made) - len(test)} pictures to learn from, {len(test)} to test"
    )
    return Features(made)


def train(
    table: pd.DataFrame, learning_rate: float = 0.001, epochs: int = 180, random_seed: int = 7
) -> Trained:
    """A network with two hidden layers, trained epoch by epoch; the same seed gives the same network."""
    seed(random_seed)
    known, labels = columns(table[~table["test"]])
    model = MLPClassifier(
        hidden_layer_sizes=(256, 128),
        learning_rate_init=learning_rate,
        batch_size=32,
        random_state=random_seed,
    )
    print(f"training on {len(labels)} pictures for {epochs} epochs, learning rate {learning_rate:g}")
    with threadpool_limits(1):  # more threads would add up in another order, and the last digits would differ
        for epoch in range(1, epochs + 1):
            model.partial_fit(known, labels, classes=range(10))
            log_metric("loss", model.loss_, step=epoch)
            if epoch % 5 == 0 or epoch == epochs:
                progress(epoch, epochs, f"epoch {epoch}/{epochs}  loss {model.loss_:.6f}")
    return Trained(model)


def evaluate(model: MLPClassifier, table: pd.DataFrame) -> Evaluated:
    """How well the network reads the pictures that it has not seen."""
    unseen, labels = columns(table[table["test"]])
    with threadpool_limits(1):
        read = model.predict(unseen)
    accuracy = float(accuracy_score(labels, read))
    precision, recall, f1, _ = precision_recall_fscore_support(labels, read, average="macro")
    confusion = confusion_matrix(labels, read)
    log_metric("accuracy", accuracy)
    print(f"accuracy {accuracy:.4f} on {len(labels)} unseen pictures")
    print(confusion)
    metrics = {
        "accuracy": round(accuracy, 6),
        "precision": round(float(precision), 6),
        "recall": round(float(recall), 6),
        "f1": round(float(f1), 6),
        "pictures": len(labels),
        "confusion": confusion.tolist(),
    }
    return Evaluated(accuracy, metrics)


def columns(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Features and labels of a prepared table, as arrays."""
    return table.drop(columns=["label", "test"]).to_numpy(dtype=np.float32), table["label"].to_numpy()
