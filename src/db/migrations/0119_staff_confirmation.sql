-- Who gives an account, or sets up anew how somebody signs in, does not use it: a second person confirms it (src/people/confirmation.ts).
create table staff_confirmation (
  staff uuid primary key references staff (id),
  status text not null check (status in ('pending', 'confirmed')),
  -- the administrator who gave the account, or its ways in, last; null = an operator, or nobody knows
  asked_by uuid,
  asked_at timestamptz not null,
  -- null = an operator
  confirmed_by uuid,
  confirmed_at timestamptz,
  -- who can only write in this database confirms nobody (src/db/tie.ts)
  tie text not null,
  check ((status = 'confirmed') = (confirmed_at is not null)),
  check (status = 'confirmed' or confirmed_by is null)
);
comment on table staff_confirmation is 'local: which accounts of the staff a second person confirmed; without a row of its own none is';
-- Who works here at this moment goes on; these rows are tied at the next start, once.
insert into staff_confirmation (staff, status, asked_at, confirmed_at, tie)
  select id, 'confirmed', now(), now(), '' from staff where status in ('active', 'suspended');
