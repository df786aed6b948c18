"""Each kind of record or body has its model."""

from __future__ import annotations

from collections.abc import Mapping

from connectwise_sandbox.schemas.accounting import (
    AccountingBatch,
    BatchEntry,
    CreateAccountingBatchRequest,
    GLEntry,
    UnpostedInvoice,
    UnpostedPayments,
)
from connectwise_sandbox.schemas.agreement import (
    Addition,
    Adjustment,
    Agreement,
    AgreementType,
)
from connectwise_sandbox.schemas.base import Model
from connectwise_sandbox.schemas.company import (
    Company,
    CompanyFinance,
    CompanyMerge,
    CompanySite,
    CompanyStatus,
    CompanyType,
    CompanyTypeAssociation,
)
from connectwise_sandbox.schemas.contact import (
    CommunicationType,
    Contact,
    ContactCommunication,
    ContactType,
)
from connectwise_sandbox.schemas.custom_fields import (
    CustomFieldValue,
    UserDefinedField,
)
from connectwise_sandbox.schemas.envelopes import (
    BundleRequestsCollection,
    BundleResultsCollection,
    Count,
    ErrorResponseMessage,
)
from connectwise_sandbox.schemas.finance import (
    BillingStatus,
    BillingTerm,
    FinanceCurrency,
    TaxCode,
)
from connectwise_sandbox.schemas.invoice import (
    ClosedInvoice,
    Invoice,
    InvoicePayment,
    InvoiceRouting,
)
from connectwise_sandbox.schemas.invoice_info import InvoiceInfo
from connectwise_sandbox.schemas.product import CatalogItem, ProductComponent, ProductItem
from connectwise_sandbox.schemas.system import (
    CallbackEntry,
    Department,
    Info,
    Location,
    Member,
    MemberInfo,
    SecurityRole,
)
from connectwise_sandbox.schemas.work import ExpenseEntry, Ticket, TimeEntry

MODELS: Mapping[str, type[Model]] = {
    "accountingBatch": AccountingBatch,
    "addition": Addition,
    "adjustment": Adjustment,
    "agreement": Agreement,
    "agreementType": AgreementType,
    "batchEntry": BatchEntry,
    "billingStatus": BillingStatus,
    "billingTerm": BillingTerm,
    "bundleRequests": BundleRequestsCollection,
    "bundleResults": BundleResultsCollection,
    "callbackEntry": CallbackEntry,
    "catalogItem": CatalogItem,
    "closedInvoice": ClosedInvoice,
    "communicationType": CommunicationType,
    "company": Company,
    "companyFinance": CompanyFinance,
    "companyMerge": CompanyMerge,
    "companyStatus": CompanyStatus,
    "companyType": CompanyType,
    "companyTypeAssociation": CompanyTypeAssociation,
    "contact": Contact,
    "contactCommunication": ContactCommunication,
    "contactType": ContactType,
    "count": Count,
    "currency": FinanceCurrency,
    "customFieldValue": CustomFieldValue,
    "department": Department,
    "error": ErrorResponseMessage,
    "expenseEntry": ExpenseEntry,
    "glEntry": GLEntry,
    "invoice": Invoice,
    "invoiceInfo": InvoiceInfo,
    "invoiceRouting": InvoiceRouting,
    "location": Location,
    "member": Member,
    "memberInfo": MemberInfo,
    "newAccountingBatch": CreateAccountingBatchRequest,
    "payment": InvoicePayment,
    "productComponent": ProductComponent,
    "productItem": ProductItem,
    "securityRole": SecurityRole,
    "site": CompanySite,
    "systemInfo": Info,
    "taxCode": TaxCode,
    "ticket": Ticket,
    "timeEntry": TimeEntry,
    "unpostedInvoice": UnpostedInvoice,
    "unpostedPayment": UnpostedPayments,
    "userDefinedField": UserDefinedField,
}
"""The models by the name that error bodies use for the kind."""
