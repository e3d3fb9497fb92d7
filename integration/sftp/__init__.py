"""The SFTP connector: a folder on somebody's file server, over SSH with a pinned host key."""

from integration.sftp.client import SftpDrop
from integration.sftp.config import SftpConfig

__all__ = ["SftpConfig", "SftpDrop"]
