"""The way out to ConnectWise: private subnets behind NAT gateways with fixed addresses.

Partners with a self-hosted server allow these addresses through their firewall, so the
addresses are owned by the data stack, which outlives every change of the network here.
"""

from collections.abc import Sequence

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from infra.config import StageConfig
from infra.constructs.logs import log_group

_AVAILABILITY_ZONES = 2


class Egress(Construct):
    """A network whose functions are seen from outside as one of the fixed addresses."""

    def __init__(
        self, scope: Construct, id_: str, *, stage: StageConfig, addresses: Sequence[ec2.CfnEIP]
    ) -> None:
        super().__init__(scope, id_)
        self.vpc = ec2.Vpc(
            self,
            "Network",
            max_azs=_AVAILABILITY_ZONES,
            nat_gateways=len(addresses),
            nat_gateway_provider=ec2.NatProvider.gateway(
                eip_allocation_ids=[address.attr_allocation_id for address in addresses]
            ),
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="gateways", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=28
                ),
                ec2.SubnetConfiguration(
                    name="functions", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS, cidr_mask=22
                ),
            ],
            # Free, and keep the traffic to these two off the NAT gateways.
            gateway_endpoints={
                "Tables": ec2.GatewayVpcEndpointOptions(
                    service=ec2.GatewayVpcEndpointAwsService.DYNAMODB
                ),
                "Documents": ec2.GatewayVpcEndpointOptions(
                    service=ec2.GatewayVpcEndpointAwsService.S3
                ),
            },
        )
        self._record_traffic(stage)
        self.security_group = ec2.SecurityGroup(
            self,
            "FunctionsGroup",
            vpc=self.vpc,
            description="Functions that call ConnectWise: nothing comes in, HTTPS goes out",
            allow_all_outbound=False,
        )
        self.security_group.add_egress_rule(
            ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "ConnectWise and AWS, over TLS"
        )

    def _record_traffic(self, stage: StageConfig) -> None:
        group = log_group(self, "Traffic", stage.resource_name("traffic"), stage)
        self.vpc.add_flow_log(
            "TrafficLog",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(group),
            traffic_type=ec2.FlowLogTrafficType.REJECT,
        )
