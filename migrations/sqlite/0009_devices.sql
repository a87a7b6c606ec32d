-- +goose Up
-- Devices that nobody has seen for long are forgotten, the oldest first.
create index device_by_age on device (updated_at_ms, outlet_no);
-- A courier's devices, by when they were seen: without it a look at them reads all of his home outlet's.
create index device_of_courier on device (outlet_no, courier_no, updated_at_ms) where retired_at_ms is null;

-- +goose Down
drop index device_of_courier;
drop index device_by_age;
