"""What must outlive every deploy: tables, documents, users, the bus, secrets, fixed addresses."""

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.config import StageConfig
from infra.constructs.acknowledgement import PLAIN_HTTP, acknowledge
from infra.constructs.identity import Identity
from infra.constructs.table import Index, table

# Lists read a record without its lines and payments. Version 0.1.0 filtered by the state; the
# projection stays, because another one means another index.
_LISTED = ("data", "schema", "state")
RECORDS_INDEXES = (
    Index("listing", "gsi1pk", "gsi1sk", _LISTED),
    Index("by_customer", "gsi2pk", "gsi2sk", _LISTED),
)
LEDGER_INDEXES = (
    Index("listing", "gsi1pk", "gsi1sk", ("data", "schema")),
    Index("by_customer", "gsi2pk", "gsi2sk", ("data", "schema")),
    Index("due", "gsi3pk", "gsi3sk", ("data", "schema")),
)
OPERATIONS_INDEXES = (Index("by_partner", "gsi1pk", "gsi1sk"),)

_PDF_DAYS = 180
_OLD_VERSION_DAYS = 30
_UNFINISHED_UPLOAD_DAYS = 1
_LOOPBACK = "127.0.0.1"  # what the sandbox sees as the caller, on this machine


class DataStack(cdk.Stack):
    """Everything that cannot be made again. Changed rarely, kept on removal in production."""

    def __init__(self, scope: Construct, id_: str, *, stage: StageConfig) -> None:
        super().__init__(scope, id_, termination_protection=stage.retain_data)
        self._stage = stage
        self._removal = cdk.RemovalPolicy.RETAIN if stage.retain_data else cdk.RemovalPolicy.DESTROY
        self._build_tables()
        self.documents = self._build_documents()
        self.bus = events.EventBus(self, "Bus", event_bus_name=stage.resource_name("events"))
        self.identity = Identity(self, "Identity", stage=stage)
        self.client_id_secret = f"bridge/{stage.name}/connectwise-client-id"
        self._build_client_id_secret()
        self.addresses = [self._build_address(number) for number in range(stage.nat_addresses)]
        self._describe()

    def _build_tables(self) -> None:
        self.records = table(
            self, "Records", stage=self._stage, indexes=RECORDS_INDEXES, stream=True
        )
        self.operations = table(
            self,
            "Operations",
            stage=self._stage,
            indexes=OPERATIONS_INDEXES,
            stream=True,
            expires=True,
        )
        self.ledger = table(self, "Ledger", stage=self._stage, indexes=LEDGER_INDEXES, stream=True)
        self.coordination = table(
            self, "Coordination", stage=self._stage, expires=True, backed_up=False
        )
        acknowledge(
            self.coordination,
            {
                "AwsSolutions-DDB3": (
                    "It holds who works or waits right now, and forgets it in time: a restored "
                    "copy would be wrong, an empty table is right."
                )
            },
        )
        self.callbacks = table(self, "Callbacks", stage=self._stage, expires=True, backed_up=False)
        acknowledge(
            self.callbacks,
            {
                "AwsSolutions-DDB3": (
                    "Signing keys live for an hour and can be fetched again; what the receiver "
                    "knows of a connection is compared with the connection each hour."
                )
            },
        )

    def _build_documents(self) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "Documents",
            bucket_name=documents_bucket_name(self._stage),
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=self._stage.require_tls,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=True,
            removal_policy=self._removal,
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=cdk.Duration.days(_PDF_DAYS),
                    noncurrent_version_expiration=cdk.Duration.days(_OLD_VERSION_DAYS),
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(
                        _UNFINISHED_UPLOAD_DAYS
                    ),
                )
            ],
        )
        acknowledge(
            bucket,
            {
                "AwsSolutions-S1": (
                    "Documents are reached by links that one function signs for five minutes; "
                    "an access log would name its role as the reader, and no partner."
                )
            },
        )
        if not self._stage.require_tls:
            acknowledge(bucket, {"AwsSolutions-S10": PLAIN_HTTP})
        return bucket

    def _build_client_id_secret(self) -> None:
        secret = secretsmanager.CfnSecret(
            self,
            "ConnectWiseClientId",
            name=self.client_id_secret,
            description="The product's ConnectWise clientId (a GUID); put in by the deployer.",
        )
        secret.apply_removal_policy(self._removal)
        reason = "ConnectWise issues this id once for the product; there is nothing to rotate."
        acknowledge(secret, {"AwsSolutions-SMG4": reason})

    def _build_address(self, number: int) -> ec2.CfnEIP:
        address = ec2.CfnEIP(
            self,
            f"EgressAddress{number + 1}",
            domain="vpc",
            tags=[cdk.CfnTag(key="Name", value=self._stage.resource_name("egress"))],
        )
        address.apply_removal_policy(self._removal)
        return address

    @property
    def egress_addresses(self) -> str:
        """The addresses that partners allow through their firewalls, joined by commas."""
        return ",".join(address.attr_public_ip for address in self.addresses) or _LOOPBACK

    def _describe(self) -> None:
        outputs = {
            "RecordsTable": self.records.table_name,
            "OperationsTable": self.operations.table_name,
            "LedgerTable": self.ledger.table_name,
            "CoordinationTable": self.coordination.table_name,
            "CallbacksTable": self.callbacks.table_name,
            "DocumentsBucket": self.documents.bucket_name,
            "EventBusName": self.bus.event_bus_name,
            "ConnectWiseClientIdSecret": self.client_id_secret,
            "UserPoolId": self.identity.pool.user_pool_id,
            "PartnerClientId": self.identity.partner_client.user_pool_client_id,
            "ServicesClientId": self.identity.services_client.user_pool_client_id,
            "EgressAddresses": self.egress_addresses,
        }
        if not self._stage.on_this_machine:
            # Cognito's domain lies on the internet; a machine's own endpoint is told by
            # `make local`, which knows the port.
            outputs["TokenEndpoint"] = f"{self.identity.domain.base_url()}/oauth2/token"
        for name, value in outputs.items():
            cdk.CfnOutput(self, name, value=value)


def documents_bucket_name(stage: StageConfig) -> str:
    """The bucket's name, unique in the world by account and region."""
    return stage.resource_name(f"documents-{cdk.Aws.ACCOUNT_ID}-{cdk.Aws.REGION}")


def documents_objects_pattern(stage: StageConfig) -> str:
    """The ARN pattern of every object in the bucket."""
    return f"arn:{cdk.Aws.PARTITION}:s3:::{documents_bucket_name(stage)}/*"
