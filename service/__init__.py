"""The service: carries payments from Opayo into SYSPRO and proves that both agree."""
