-- A sign of life, so that the transaction is idle no longer.
select 1
