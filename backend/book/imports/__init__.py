"""Import titles from an uploaded file as a background job.

`format_detection` (upload → format, encoding) → `jobs` (batches) → `csv_parser` (bytes → records,
with `header_mapping`) → `row_validation` (record → title, `row_issues`) → `upsert` (→ catalogue).
"""
