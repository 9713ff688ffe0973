"""Normality: how unlike the usual day of this camera each place of the picture is."""
