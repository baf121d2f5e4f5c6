-- What the blocks of an attempt that prepared nothing had counted, as JSON: how far one came that failed.
alter table attempt add column counted text;
