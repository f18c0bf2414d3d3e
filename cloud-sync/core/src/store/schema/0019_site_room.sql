-- Days for which a site has room where it cannot reach this cloud, as it last said.
ALTER TABLE sites ADD COLUMN room_days BIGINT;
