"""Who may call the API: partners' users with an ID token, the platform's services with scopes."""

import aws_cdk as cdk
from aws_cdk import aws_cognito as cognito
from constructs import Construct

from infra.config import WRITE_PAYMENTS_SCOPE, Mfa, StageConfig
from infra.constructs.acknowledgement import acknowledge

PARTNER_ATTRIBUTE = "partner_id"

_SHORTEST_PASSWORD = 12
_TOKEN_MINUTES = 60


class Identity(Construct):
    """The user pool, the partners' client and the services' client.

    A user's partner is set by an administrator when the user is made and can never be changed:
    the attribute is immutable, users cannot sign themselves up, and no client may write it.
    """

    def __init__(self, scope: Construct, id_: str, *, stage: StageConfig) -> None:
        super().__init__(scope, id_)
        self.pool = self._build_pool(stage)
        self.domain = self.pool.add_domain(
            "Domain",
            cognito_domain=cognito.CognitoDomainOptions(
                domain_prefix=stage.resource_name(cdk.Aws.ACCOUNT_ID)
            ),
        )
        self.partner_client = self._build_partner_client()
        self.services_client = self._build_services_client()

    def _build_pool(self, stage: StageConfig) -> cognito.UserPool:
        kept = stage.retain_data
        pool = cognito.UserPool(
            self,
            "Users",
            user_pool_name=stage.resource_name("users"),
            self_sign_up_enabled=False,
            sign_in_aliases=cognito.SignInAliases(email=True),
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            custom_attributes={
                PARTNER_ATTRIBUTE: cognito.StringAttribute(mutable=False, max_len=64)
            },
            password_policy=cognito.PasswordPolicy(
                min_length=_SHORTEST_PASSWORD,
                require_digits=True,
                require_lowercase=True,
                require_symbols=True,
                require_uppercase=True,
            ),
            mfa=cognito.Mfa(stage.mfa.value),
            mfa_second_factor=(
                None if stage.mfa is Mfa.OFF else cognito.MfaSecondFactor(otp=True, sms=False)
            ),
            feature_plan=cognito.FeaturePlan.PLUS,
            standard_threat_protection_mode=(cognito.StandardThreatProtectionMode.FULL_FUNCTION),
            deletion_protection=kept,
            removal_policy=cdk.RemovalPolicy.RETAIN if kept else cdk.RemovalPolicy.DESTROY,
        )
        if stage.mfa is not Mfa.REQUIRED:
            reason = "No real partner signs in to this stage; production asks for a second factor."
            acknowledge(pool, {"AwsSolutions-COG2": reason})
        return pool

    def _build_partner_client(self) -> cognito.UserPoolClient:
        return self.pool.add_client(
            "PartnerClient",
            generate_secret=False,
            auth_flows=cognito.AuthFlow(user_srp=True, admin_user_password=True),
            disable_o_auth=True,
            read_attributes=readable_attributes(),
            write_attributes=writable_attributes(),
            prevent_user_existence_errors=True,
            enable_token_revocation=True,
            id_token_validity=cdk.Duration.minutes(_TOKEN_MINUTES),
            access_token_validity=cdk.Duration.minutes(_TOKEN_MINUTES),
        )

    def _build_services_client(self) -> cognito.UserPoolClient:
        identifier, _, scope_name = WRITE_PAYMENTS_SCOPE.partition("/")
        scope = cognito.ResourceServerScope(
            scope_name=scope_name, scope_description="Record payments to write back"
        )
        server = self.pool.add_resource_server("Bridge", identifier=identifier, scopes=[scope])
        return self.pool.add_client(
            "ServicesClient",
            generate_secret=True,
            write_attributes=writable_attributes(),
            o_auth=cognito.OAuthSettings(
                flows=cognito.OAuthFlows(client_credentials=True),
                scopes=[cognito.OAuthScope.resource_server(server, scope)],
            ),
            access_token_validity=cdk.Duration.minutes(_TOKEN_MINUTES),
        )


def readable_attributes() -> cognito.ClientAttributes:
    """What a partner's ID token tells: who the user is, and of which partner."""
    return (
        cognito.ClientAttributes()
        .with_standard_attributes(email=True, email_verified=True)
        .with_custom_attributes(PARTNER_ATTRIBUTE)
    )


def writable_attributes() -> cognito.ClientAttributes:
    """What a user may change about himself; a client without a list may write every attribute."""
    return cognito.ClientAttributes().with_standard_attributes(fullname=True)
