"""Hosted gateways: the catalog of models, the providers' protocols, and fetching results.

Nothing here knows what a job is. The providers' published pages are the only source.
"""
