"""The e.net face ``/SYSPROWCFService/Rest``: the same company as XML business objects, with e.net's habits."""
