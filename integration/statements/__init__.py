"""Files that arrive: settlement, chargeback, transaction and bank files, read by layouts that are documents.

Bytes go in; typed rows, problems of single rows and the control totals come out, or one refusal with a clear code.
"""
