"""RPC: the services of the contract, served as Connect, gRPC-Web and native gRPC (docs/rpc.md)."""
