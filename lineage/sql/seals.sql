-- The way from a record to the audit chain is written with the record and stays.
SELECT make_append_only('record_seal');
