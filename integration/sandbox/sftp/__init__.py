"""A real SFTP server that stands in for the acquirer's: a folder per vendor, a day's files, and faults to order."""

from integration.sandbox.sftp.server import INCOMING, SftpSandbox, SftpSandboxConfig

__all__ = ["INCOMING", "SftpSandbox", "SftpSandboxConfig"]
