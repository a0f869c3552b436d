-- How staff, partners and operators stand is read from the log again and again (src/audit/replay-check.ts): the few events about nobody that
-- say so are found without those that do not. Other events write nothing here.
create index audit_event_standing on audit_event (id) where patient_tag is null and type in (
  'staff.invited', 'staff.joined', 'staff.suspended', 'staff.restored', 'staff.left', 'staff.second-factor-reset', 'staff.role-changed',
  'staff.sso-linked', 'staff.confirmed',
  'partners.bridge-registered', 'partners.bridge-revoked', 'partners.facility-saved', 'partners.facility-confirmed',
  'partners.facility-shut-out', 'partners.trial-ended', 'partners.client-registered', 'partners.client-suspended', 'partners.client-resumed',
  'operator.enrolled', 'operator.renewed', 'operator.ended'
);
