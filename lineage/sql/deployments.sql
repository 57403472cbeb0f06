-- One endpoint serves one version at a time. A range of the id with itself stands for the id, so that
-- no extension is needed for the comparison.
ALTER TABLE deployment ADD CONSTRAINT deployment_one_at_a_time
    EXCLUDE USING gist (int8range(endpoint_id, endpoint_id, '[]') WITH &&, during WITH &&);
