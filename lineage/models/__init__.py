"""The rows of ``lineage``: import them from here."""

from lineage.models.catalogue import (
    Artifact,
    CodeRef,
    Content,
    ContentLocation,
    EnvironmentSnapshot,
    HardwareProfile,
    ParameterSet,
)
from lineage.models.record import DIRECTIONS, READ, REUSED, WROTE, Record, RecorderMark, RecordSeal, Use
from lineage.models.registry import (
    CataloguedApproval,
    Deployment,
    DeploymentMove,
    Endpoint,
    Model,
    ModelClosure,
    ModelVersion,
    Stage,
)

__all__ = [
    "DIRECTIONS",
    "READ",
    "REUSED",
    "WROTE",
    "Artifact",
    "CataloguedApproval",
    "CodeRef",
    "Content",
    "ContentLocation",
    "Deployment",
    "DeploymentMove",
    "Endpoint",
    "EnvironmentSnapshot",
    "HardwareProfile",
    "Model",
    "ModelClosure",
    "ModelVersion",
    "ParameterSet",
    "Record",
    "RecordSeal",
    "RecorderMark",
    "Stage",
    "Use",
]
