"""The rules of money govern invoices, payments, closing and batches."""
