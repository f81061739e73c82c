"""The dashboard: ``streamlit run streamlit_app.py``.

Streamlit imports this file for `app`, the server with the tile routes, and runs it again as a
script for every visit to a page.
"""

import streamlit as st

if __name__ != "__main__":
    from starlette.middleware import Middleware

    from pages.shared.sign_in import SignedInUploads
    from pages.shared.visitor import ReaderCookie
    from pages.viewer_page.server.routes import lifespan, routes_below
    from seg_core.process.logs import start_logging

    start_logging()
    layers = [Middleware(ReaderCookie), Middleware(SignedInUploads)]
    app = st.App(
        __file__,
        routes=routes_below(st.get_option("server.baseUrlPath")),
        lifespan=lifespan,
        middleware=layers,
    )
else:
    pages = [
        st.Page("pages/slides.py", title="Slides", default=True),
        st.Page("pages/viewer.py", title="Viewer"),
        st.Page("pages/nuclei.py", title="Nuclei"),
        st.Page("pages/til_score.py", title="TIL score"),
    ]
    st.navigation(pages, position="hidden").run()
