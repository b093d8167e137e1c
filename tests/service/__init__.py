"""The processes of the service, as they run: real ones, started, killed and looked into."""
