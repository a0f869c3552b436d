drop index desk_look_at;
