"""Generated from `protos/assetwright/v1` by `make proto`. The protos explain every field."""
