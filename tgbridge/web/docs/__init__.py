"""The page of the API, to read and to try: made of the OpenAPI document, on the server.

No package on PyPI would do. swagger-ui-bundle ships Swagger UI 4, which knows no OpenAPI 3.1; fastapi-offline
and scalar-fastapi are FastAPI's, and Scalar's own script comes from a CDN. Each weighs more than a megabyte,
and has styles, scripts or pictures within the page, which a strict policy forbids.
"""
