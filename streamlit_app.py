"""The dashboard: ``streamlit run streamlit_app.py``.

Streamlit imports this file for `app`, the server with the tile routes, and runs it again as a
script for every visit to a page.
"""

import streamlit as st

if __name__ != "__main__":
    from starlette.middleware import Middleware

    from pages.shared.doors import Doors
    from pages.shared.sign_in import SignedInUploads
    from pages.shared.upload_memory import UploadRoom
    from pages.shared.visitor import ReaderCookie
    from pages.viewer_page.server.routes import lifespan, pictures_below, routes_below
    from pages.viewer_page.server.short_way import ShortWay
    from seg_core.process.logs import start_logging

    start_logging()
    base = st.get_option("server.baseUrlPath")
    app = st.App(
        __file__,
        routes=routes_below(base),
        lifespan=lifespan,
        middleware=[
            Middleware(Doors),
            Middleware(ShortWay, routes=pictures_below(base)),
            *map(Middleware, (ReaderCookie, SignedInUploads, UploadRoom)),
        ],
    )
else:
    from pages.shared.page_list import PAGES

    pages = [st.Page(each.file, title=each.title, default=each.default) for each in PAGES]
    st.navigation(pages, position="hidden").run()
