"""A form that takes a file says so when it is sent without one."""

import streamlit as st


def say_if_missing(file: object, *, sent: bool) -> None:
    """Say that there is no file yet, where a form was sent and has none."""
    if sent and file is None:
        st.warning("There is no file yet; choose one above.", icon=":material/upload_file:")
