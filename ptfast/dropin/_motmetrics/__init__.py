"""Parts of ptfast.dropin.motmetrics."""
