"""Tests of the test tool: python3 -m unittest, run in tests/interop."""
