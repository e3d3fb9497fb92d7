"""What every transport of the port `ERP` must do, as cases; `test_erp_contract.py` runs them on each transport."""

from __future__ import annotations

from tests.connectors.erp_documents_contract import PostsAndFinds, Reads
from tests.connectors.erp_once_contract import NeverPostsTwice
from tests.connectors.erp_refusals_contract import SaysWhatIsWrong
from tests.connectors.erp_session_contract import KeepsItsSession


class ErpContract(PostsAndFinds, Reads, KeepsItsSession, NeverPostsTwice, SaysWhatIsWrong):
    """The whole contract."""
