"""The partner's page: its files and the API behind one address, and how people sign in."""

from dataclasses import dataclass
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.config import StageConfig
from infra.constructs.acknowledgement import PLAIN_HTTP, acknowledge
from infra.constructs.identity import Identity, readable_attributes, writable_attributes

SIGNED_IN_PATH = "/signed-in"
SIGNED_OUT_PATH = "/signed-out"

_ROUTES = Path(__file__).with_name("page_routes.js")
_HSTS_DAYS = 365
_PORT_PART = 2  # of http://127.0.0.1:4566, split at the colons
_UNFINISHED_UPLOAD_DAYS = 1
_TOKEN_MINUTES = 60
_WORKING_DAY_HOURS = 12  # after that a person signs in again
_ROTATION_GRACE_SECONDS = 30  # a renewal whose answer is lost may be repeated for so long


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Where the API answers, where people sign in, and how browsers reach the page.

    On this machine one port serves all three, and each is told from the others by path or host.
    """

    stage: StageConfig
    login_url: str
    api_origin: origins.HttpOrigin
    embedded_port: str | None = None

    @classmethod
    def on_aws(
        cls, stage: StageConfig, api: apigateway.HttpApi, identity: Identity
    ) -> "Surroundings":
        """Return those of a real stage."""
        region, suffix = cdk.Aws.REGION, cdk.Aws.URL_SUFFIX
        return cls(
            stage=stage,
            login_url=identity.domain.base_url(),
            api_origin=origins.HttpOrigin(
                f"{api.api_id}.execute-api.{region}.{suffix}",
                protocol_policy=cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
                origin_ssl_protocols=[cloudfront.OriginSslPolicy.TLS_V1_2],
            ),
        )

    @classmethod
    def embedded(
        cls, stage: StageConfig, api: apigateway.HttpApi, gateway_url: str
    ) -> "Surroundings":
        """Return those of the embedded AWS, which answers at `gateway_url`."""
        port = cdk.Fn.select(_PORT_PART, cdk.Fn.split(":", gateway_url))
        return cls(
            stage=stage,
            login_url=gateway_url,
            api_origin=origins.HttpOrigin(
                "localhost",
                origin_path=f"/_aws/execute-api/{api.api_id}",
                protocol_policy=cloudfront.OriginProtocolPolicy.HTTP_ONLY,
                http_port=cdk.Token.as_number(port),
            ),
            embedded_port=port,
        )

    def page_url(self, distribution: cloudfront.Distribution) -> str:
        """Return the page's address, without a slash; browsers find `*.localhost` themselves."""
        if self.embedded_port is None:
            return f"https://{distribution.distribution_domain_name}"
        label = cdk.Fn.select(0, cdk.Fn.split(".", distribution.distribution_domain_name))
        return f"http://{label}.cloudfront.localhost:{self.embedded_port}"


class Page(Construct):
    """A private bucket, a distribution that alone reads it, and the Cognito client of the page.

    Page and API share the address, so that browsers ask nobody for leave (CORS). The files and
    the page's settings come after the deploy, by `infra/page_files.py`.
    """

    def __init__(
        self, scope: Construct, id_: str, *, around: Surroundings, identity: Identity
    ) -> None:
        super().__init__(scope, id_)
        self._around = around
        self._stage = around.stage
        self._bucket = self._build_bucket()
        self._distribution = self._build_distribution()
        self.url = around.page_url(self._distribution)
        self.client = self._build_client(identity)
        outputs = {
            "PageUrl": self.url,
            "PageBucket": self._bucket.bucket_name,
            "PageDistributionId": self._distribution.distribution_id,
            "PageClientId": self.client.user_pool_client_id,
            "PageIssuer": _issuer(identity),
            "LoginUrl": around.login_url,
        }
        for name, value in outputs.items():
            cdk.CfnOutput(cdk.Stack.of(self), name, value=value)

    def _build_bucket(self) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "Files",
            bucket_name=self._stage.resource_name(f"page-{cdk.Aws.ACCOUNT_ID}-{cdk.Aws.REGION}"),
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=self._stage.require_tls,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=cdk.RemovalPolicy.DESTROY,
            lifecycle_rules=[
                s3.LifecycleRule(
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(
                        _UNFINISHED_UPLOAD_DAYS
                    )
                )
            ],
        )
        reasons = {"AwsSolutions-S1": "The files hold nothing of a partner; anybody may have them."}
        if not self._stage.require_tls:
            reasons["AwsSolutions-S10"] = PLAIN_HTTP
        acknowledge(bucket, reasons)
        return bucket

    def _build_distribution(self) -> cloudfront.Distribution:
        viewers = (
            cloudfront.ViewerProtocolPolicy.ALLOW_ALL
            if self._stage.on_this_machine
            else cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS
        )
        headers = self._build_headers()
        distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment=self._stage.resource_name("page"),
            default_root_object="index.html",
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            default_behavior=cloudfront.BehaviorOptions(
                origin=origins.S3BucketOrigin.with_origin_access_control(self._bucket),
                viewer_protocol_policy=viewers,
                response_headers_policy=headers,
                function_associations=[self._build_routes()],
            ),
            additional_behaviors={
                "/v1/*": cloudfront.BehaviorOptions(
                    origin=self._around.api_origin,
                    viewer_protocol_policy=viewers,
                    allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
                    cache_policy=cloudfront.CachePolicy.CACHING_DISABLED,
                    origin_request_policy=(
                        cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER
                    ),
                    response_headers_policy=headers,
                )
            },
        )
        acknowledge(distribution, self._reasons())
        return distribution

    def _reasons(self) -> dict[str, str]:
        reasons = {
            "AwsSolutions-CFR1": "A partner's people may work from any country.",
            "AwsSolutions-CFR2": "Files are the same for all; each API request needs a token "
            "and is bounded by the API's own limits.",
            "AwsSolutions-CFR3": "Each API request is in the API's access log, with its caller; "
            "the files hold nothing of a partner.",
            "AwsSolutions-CFR4": "CloudFront's own certificate, which serves the page until it has "
            "a domain of its own, leaves no choice of the protocol.",
        }
        if self._stage.on_this_machine:
            reasons["AwsSolutions-CFR5"] = PLAIN_HTTP
        return reasons

    def _build_routes(self) -> cloudfront.FunctionAssociation:
        function = cloudfront.Function(
            self,
            "Routes",
            function_name=self._stage.resource_name("page-routes"),
            comment="Answers every address of the page with its one document.",
            code=cloudfront.FunctionCode.from_file(file_path=str(_ROUTES)),
            runtime=cloudfront.FunctionRuntime.JS_2_0,
        )
        return cloudfront.FunctionAssociation(
            event_type=cloudfront.FunctionEventType.VIEWER_REQUEST, function=function
        )

    def _build_headers(self) -> cloudfront.ResponseHeadersPolicy:
        """Scripts and styles come from the page's own files alone, and text never becomes code."""
        policy = {
            "default-src": "'none'",
            "script-src": "'self'",
            "style-src": "'self'",
            "font-src": "'self' data:",
            "img-src": "'self' data:",
            "connect-src": f"'self' {self._around.login_url}",
            "frame-ancestors": "'none'",
            "base-uri": "'none'",
            "require-trusted-types-for": "'script'",
        }
        return cloudfront.ResponseHeadersPolicy(
            self,
            "Headers",
            response_headers_policy_name=self._stage.resource_name("page-headers"),
            security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
                content_security_policy=cloudfront.ResponseHeadersContentSecurityPolicy(
                    content_security_policy="; ".join(
                        f"{name} {sources}" for name, sources in policy.items()
                    ),
                    override=True,
                ),
                content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
                referrer_policy=cloudfront.ResponseHeadersReferrerPolicy(
                    referrer_policy=cloudfront.HeadersReferrerPolicy.NO_REFERRER, override=True
                ),
                strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
                    access_control_max_age=cdk.Duration.days(_HSTS_DAYS),
                    include_subdomains=True,
                    override=True,
                ),
            ),
        )

    def _build_client(self, identity: Identity) -> cognito.UserPoolClient:
        """A client without a secret: a code is worth nothing without the verifier of its asker."""
        return cognito.UserPoolClient(
            self,
            "Client",
            user_pool=identity.pool,
            generate_secret=False,
            o_auth=cognito.OAuthSettings(
                flows=cognito.OAuthFlows(authorization_code_grant=True),
                scopes=[cognito.OAuthScope.OPENID, cognito.OAuthScope.EMAIL],
                callback_urls=[f"{self.url}{SIGNED_IN_PATH}"],
                logout_urls=[f"{self.url}{SIGNED_OUT_PATH}"],
            ),
            supported_identity_providers=[cognito.UserPoolClientIdentityProvider.COGNITO],
            auth_flows=cognito.AuthFlow(user_srp=True),
            read_attributes=readable_attributes(),
            write_attributes=writable_attributes(),
            prevent_user_existence_errors=True,
            enable_token_revocation=True,
            id_token_validity=cdk.Duration.minutes(_TOKEN_MINUTES),
            access_token_validity=cdk.Duration.minutes(_TOKEN_MINUTES),
            refresh_token_validity=cdk.Duration.hours(_WORKING_DAY_HOURS),
            refresh_token_rotation_grace_period=cdk.Duration.seconds(_ROTATION_GRACE_SECONDS),
        )


def _issuer(identity: Identity) -> str:
    return f"https://cognito-idp.{cdk.Aws.REGION}.amazonaws.com/{identity.pool.user_pool_id}"
