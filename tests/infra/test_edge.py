"""Who reaches the page's files, what browsers are told about them, and who may sign in there."""

import json
import re
import subprocess
from typing import Any

import pytest

from infra.config import PROJECT_ROOT
from tests.infra.page_types import NODE
from tests.infra.templates import StageTemplates, as_list

pytestmark = pytest.mark.xdist_group("templates")

ROUTES = PROJECT_ROOT / "infra" / "constructs" / "page_routes.js"


def distribution(templates: StageTemplates) -> dict[str, Any]:
    (found,) = templates.of_type("AWS::CloudFront::Distribution").values()
    config: dict[str, Any] = found["DistributionConfig"]
    return config


def page_client(templates: StageTemplates) -> dict[str, Any]:
    (found,) = (
        client
        for name, client in templates.of_type("AWS::Cognito::UserPoolClient").items()
        if name.startswith("Page")
    )
    return found


def test_no_bucket_is_public(any_stage: StageTemplates) -> None:
    buckets = any_stage.of_type("AWS::S3::Bucket")
    assert len(buckets) == 2
    for bucket in buckets.values():
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}


def test_only_the_distribution_reads_the_pages_files(any_stage: StageTemplates) -> None:
    (policy,) = (
        found["PolicyDocument"]
        for name, found in any_stage.of_type("AWS::S3::BucketPolicy").items()
        if name.startswith("Page")
    )
    (allowed,) = (one for one in policy["Statement"] if one["Effect"] == "Allow")
    assert as_list(allowed["Action"]) == ["s3:GetObject"]
    assert allowed["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    source = any_stage.flat(allowed["Condition"]["StringEquals"]["AWS:SourceArn"])
    assert source.endswith(":distribution/<PageDistribution>")
    (control,) = any_stage.of_type("AWS::CloudFront::OriginAccessControl").values()
    assert control["OriginAccessControlConfig"]["SigningBehavior"] == "always"


def test_the_page_and_the_api_have_one_address(any_stage: StageTemplates) -> None:
    config = distribution(any_stage)
    origins = {origin["Id"]: origin for origin in config["Origins"]}
    (api,) = config["CacheBehaviors"]
    assert api["PathPattern"] == "/v1/*"
    assert "CustomOriginConfig" in origins[api["TargetOriginId"]]
    assert "DELETE" in api["AllowedMethods"]
    files = config["DefaultCacheBehavior"]
    assert "OriginAccessControlId" in origins[files["TargetOriginId"]]
    assert files["ResponseHeadersPolicyId"] == api["ResponseHeadersPolicyId"]


def test_answers_of_the_api_are_never_kept(any_stage: StageTemplates) -> None:
    (api,) = distribution(any_stage)["CacheBehaviors"]
    caching_disabled = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"  # AWS's own, by its fixed id
    assert api["CachePolicyId"] == caching_disabled


def test_real_stages_speak_tls_only(real_stage: StageTemplates) -> None:
    config = distribution(real_stage)
    behaviors = [config["DefaultCacheBehavior"], *config["CacheBehaviors"]]
    assert {one["ViewerProtocolPolicy"] for one in behaviors} == {"redirect-to-https"}
    (api,) = (o["CustomOriginConfig"] for o in config["Origins"] if "CustomOriginConfig" in o)
    assert api["OriginProtocolPolicy"] == "https-only"
    assert api["OriginSSLProtocols"] == ["TLSv1.2"]


def test_the_policy_lets_nothing_run_but_the_pages_own_files(real_stage: StageTemplates) -> None:
    (found,) = real_stage.of_type("AWS::CloudFront::ResponseHeadersPolicy").values()
    headers = found["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    told = real_stage.flat(headers["ContentSecurityPolicy"]["ContentSecurityPolicy"])
    login = "https://<IdentityUsersDomain>.auth.<AWS::Region>.amazoncognito.com"
    assert told.split("; ") == [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "font-src 'self' data:",
        "img-src 'self' data:",
        f"connect-src 'self' {login}",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "require-trusted-types-for 'script'",
    ]
    assert headers["ContentTypeOptions"] == {"Override": True}
    assert headers["StrictTransportSecurity"]["AccessControlMaxAgeSec"] == 365 * 24 * 3600


def test_people_sign_in_by_code_and_the_page_has_no_secret(any_stage: StageTemplates) -> None:
    client = page_client(any_stage)
    assert client["AllowedOAuthFlows"] == ["code"]
    assert client["GenerateSecret"] is False
    assert client["AllowedOAuthScopes"] == ["openid", "email"]
    assert "custom:partner_id" in client["ReadAttributes"]


def test_a_code_goes_to_the_page_of_this_stage_alone(any_stage: StageTemplates) -> None:
    client = page_client(any_stage)
    output = any_stage.service["Outputs"]["PageUrl"]["Value"]
    page = any_stage.flat(output)
    assert [any_stage.flat(url) for url in client["CallbackURLs"]] == [f"{page}/signed-in"]
    assert [any_stage.flat(url) for url in client["LogoutURLs"]] == [f"{page}/signed-out"]


def test_a_refresh_token_is_used_once(any_stage: StageTemplates) -> None:
    client = page_client(any_stage)
    assert client["RefreshTokenRotation"]["Feature"] == "ENABLED"
    assert "ALLOW_REFRESH_TOKEN_AUTH" not in client["ExplicitAuthFlows"]
    assert client["RefreshTokenValidity"] == 12 * 60


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("/", "/index.html"),
        ("/invoices", "/index.html"),
        ("/connections/0a1b/filters", "/index.html"),
        ("/assets/index-1a2b.js", "/assets/index-1a2b.js"),
        ("/config.json", "/config.json"),
    ],
)
def test_an_address_that_names_no_file_is_the_one_document(asked: str, answered: str) -> None:
    event = json.dumps({"request": {"uri": asked}})
    program = f"{ROUTES.read_text()}; console.log(handler({event}).uri)"
    found = subprocess.run(
        [str(NODE), "-e", program], check=True, capture_output=True, text=True, timeout=60
    )
    assert found.stdout.strip() == answered


def test_the_function_at_the_edge_is_that_file(any_stage: StageTemplates) -> None:
    (function,) = any_stage.of_type("AWS::CloudFront::Function").values()
    assert function["FunctionCode"] == ROUTES.read_text()
    assert re.search(r"cloudfront-js-2\.0", function["FunctionConfig"]["Runtime"])
