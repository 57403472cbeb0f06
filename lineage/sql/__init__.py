"""SQL of the lineage app: one file per thing, installed by migrations."""
