"""A second implementation of X-SafeTP1, for tests only.

It is written from docs/x-safetp1.md and RFC 959, 2228 and 2428, without a look at the Rust code, so that an error in
one of the two shows. "Section" in its comments is a section of that page.
"""
