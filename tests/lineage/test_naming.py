from __future__ import annotations

from lineage.naming import artifact_name, job_name, short


def test_a_job_is_named_after_its_pipeline_and_the_path_of_its_task() -> None:
    assert job_name("digits-training", "train-all/fit") == "digits-training.train-all/fit"


def test_an_artifact_is_named_as_a_document_names_it() -> None:
    assert artifact_name("digits-training", "ingest", "table") == "digits-training.ingest.table"


def test_further_items_of_an_output_are_numbered() -> None:
    assert artifact_name("p", "t", "o", 2) == "p.t.o[2]"


def test_a_digest_is_shown_by_its_first_twelve_characters() -> None:
    assert short("0123456789abcdef") == "0123456789ab"
