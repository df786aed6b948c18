"""Invoices, payments, closing and batches: the rules of money."""
