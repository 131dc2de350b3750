"""The OpenAPI document, with what FastAPI cannot know by itself."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from gateway.http.problems import ProblemDocument

TAGS = {
    "try-ons": "A try-on is a job: start it, watch it, fetch what it made.",
    "preprocessing": "Only the stages that a person or a garment needs by itself; the answer is a document of a try-on.",
    "images": "Upload once, use in any number of try-ons.",
    "batches": "Every person in every garment.",
    "comparisons": "One person in one garment through several engines, or with several options.",
    "webhooks": "Messages to your server when a try-on ends.",
    "keys": "Who may do what; there are keys where HOWSFIT_ADMIN_KEY is set.",
    "stages": "What does the work.",
    "service": "For whoever runs the gateway.",
}

LINKS = {
    ("create_tryon", "preprocess_person", "preprocess_cloth"): (
        "tryon_id",
        ("get_tryon", "tryon_events", "cancel_tryon", "retry_tryon", "get_dataset", "delete_tryon"),
    ),
    ("upload_image",): ("image_id", ("get_image", "get_image_content", "delete_image")),
    ("create_batch",): ("batch_id", ("get_batch", "cancel_batch", "delete_batch")),
    ("create_comparison",): (
        "comparison_id",
        ("get_comparison", "get_comparison_sheet", "cancel_comparison", "delete_comparison"),
    ),
}
"""Who gives an id -> the parameter that takes it, and the operations that do."""


def describe(app: FastAPI) -> None:
    """Have the app serve a document that says the same as its answers do."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    tags = [{"name": name, "description": text} for name, text in TAGS.items()]
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes, tags=tags
    )
    for operations in document["paths"].values():
        for operation in operations.values():
            # FastAPI's own answer to a malformed request, which is never given here: it is a problem document with 400.
            if "HTTPValidationError" in str(operation["responses"].get("422")):
                del operation["responses"]["422"]
            _link(operation)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["ProblemDocument"] = ProblemDocument.model_json_schema()
    return document


def _link(operation: dict[str, Any]) -> None:
    for givers, (parameter, takers) in LINKS.items():
        if operation["operationId"] in givers:
            links = {taker: {"operationId": taker, "parameters": {parameter: "$response.body#/id"}} for taker in takers}
            for status in {"200", "201", "202"} & operation["responses"].keys():
                operation["responses"][status]["links"] = links
