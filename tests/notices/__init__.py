"""Who is told what: real mail servers, real listeners, real ledgers."""
