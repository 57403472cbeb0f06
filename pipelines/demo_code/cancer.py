"""Breast cancer: cell measurements of 569 patients, retrained every night, and a way to see a check fail."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from orchestrator_task import log_metric, progress, seed
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import accuracy_score, recall_score, roc_auc_score
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

TARGET = "benign"


class Ingested(NamedTuple):
    table: pd.DataFrame


class Features(NamedTuple):
    table: pd.DataFrame


class Trained(NamedTuple):
    model: GradientBoostingClassifier


class Evaluated(NamedTuple):
    accuracy: float
    metrics: dict[str, Any]


def ingest(corrupt_share: float = 0.0, random_seed: int = 7) -> Ingested:
    """One row per patient; `corrupt_share` (0 to 1) of them get a broken radius, as a bad sensor would."""
    if not 0.0 <= corrupt_share <= 1.0:
        raise ValueError(f"corrupt_share is a share, from 0 to 1; it was {corrupt_share}")
    data = load_breast_cancer(as_frame=True)
    table = data.data.rename(columns=lambda name: name.replace(" ", "_"))
    table[TARGET] = data.target.astype(np.int64)
    table.insert(0, "patient", np.arange(1, len(table) + 1))
    broken = np.random.default_rng(random_seed).choice(
        len(table), size=round(len(table) * corrupt_share), replace=False
    )
    table.loc[table.index[broken], "mean_radius"] *= -1
    print(f"{len(table)} patients, {len(broken)} rows corrupted on purpose")
    return Ingested(table)


def features(table: pd.DataFrame, test_share: float = 0.25, random_seed: int = 7) -> Features:
    """Measurements with two ratios added, and which patients are kept for the test."""
    made = table.drop(columns=["patient"])
    made["area_per_perimeter"] = made["mean_area"] / made["mean_perimeter"]
    made["worst_growth"] = made["worst_radius"] / made["mean_radius"]
    test = train_test_split(
        made.index, test_size=test_share, random_state=random_seed, stratify=made[TARGET]
    )[1]
    made["test"] = made.index.isin(test)
    print(f"{made.shape[1] - 2} features, {len(test)} of {len(made)} patients for the test")
    return Features(made)


def train(
    table: pd.DataFrame, trees: int = 200, learning_rate: float = 0.05, random_seed: int = 7
) -> Trained:
    """Boosted trees, a few at a time; the same seed gives the same trees."""
    seed(random_seed)
    known, labels = columns(table[~table["test"]])
    model = GradientBoostingClassifier(
        n_estimators=1, learning_rate=learning_rate, max_depth=3, subsample=0.8, warm_start=True,
        random_state=random_seed,
    )  # fmt: skip
    with threadpool_limits(1):
        for count in range(10, trees + 1, 10):
            model.set_params(n_estimators=count)
            model.fit(known, labels)
            log_metric("deviance", float(model.train_score_[-1]), step=count)
            progress(count, trees, f"{count} trees  deviance {model.train_score_[-1]:.5f}")
    return Trained(model)


def evaluate(model: GradientBoostingClassifier, table: pd.DataFrame) -> Evaluated:
    """How often the trees are right about patients that they have not seen."""
    unseen, labels = columns(table[table["test"]])
    judged = model.predict(unseen)
    accuracy = float(accuracy_score(labels, judged))
    metrics = {
        "accuracy": round(accuracy, 6),
        "found_malignant": round(float(recall_score(labels, judged, pos_label=0)), 6),
        "auc": round(float(roc_auc_score(labels, model.predict_proba(unseen)[:, 1])), 6),
        "patients": len(labels),
    }
    log_metric("accuracy", accuracy)
    print(
        f"accuracy {accuracy:.4f}, malignant found {metrics['found_malignant']:.4f}, {len(labels)} patients"
    )
    return Evaluated(accuracy, metrics)


def columns(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Features and labels of a prepared table, as arrays."""
    return table.drop(columns=[TARGET, "test"]).to_numpy(dtype=np.float64), table[TARGET].to_numpy()
