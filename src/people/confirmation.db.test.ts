import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { useStaffAccounts } from '../../test/staff-accounts.ts'
import { forbiddenTo } from '../http/forbidden.ts'
import { staffActor } from '../kernel/caller.ts'
import type { Id } from '../kernel/id.ts'
import { isRefusal, must } from '../kernel/refusal.ts'
import type { StaffRole } from '../kernel/staff-role.ts'
import { codeOfSecret } from './authenticator.ts'
import { confirmableBy, confirmStaff, isConfirmed, whoMayConfirm } from './confirmation-commands.ts'
import { mayDo } from './rules.ts'
import { permitSso } from './sso-commands.ts'
import type { StaffMember } from './staff.ts'
import { changeRole, inviteStaff, listStaff, resetSecondFactor, suspendStaff } from './staff-commands.ts'
import { joinAndSignIn, shareInvitationSecret } from './staff-invitation.ts'

describe('a second person confirms what an administrator gave', () => {
  const accounts = useStaffAccounts()
  const { inTx, codeOf } = accounts
  const password = 'seven mangoes on the roof'
  const as = (who: StaffMember) => staffActor(accounts.needs.facility.id, who)
  const operator = { kind: 'operator', id: 'test' } as const
  let count = 0

  /** Opens an invitation, whoever she is. */
  async function open(invitation: string) {
    const { text } = must(await inTx((tx) => shareInvitationSecret(tx, accounts.needs, invitation)))
    const code = codeOfSecret(text, accounts.clock.now())
    const given = { invitation, password, code, userAgent: undefined }
    const opened = must(await inTx((tx) => joinAndSignIn(tx, accounts.needs, given)))
    accounts.clock.advance(60_000)
    return opened
  }
  async function invited(by: StaffMember, role: StaffRole) {
    count += 1
    const login = `ghost${count}`
    const made = must(await inTx((tx) => inviteStaff(tx, { login, name: 'Dr. Ghost', role, actor: as(by) })))
    return { staff: made.staff, opened: await open(made.code) }
  }
  const confirm = async (by: StaffMember, { id }: { readonly id: Id<'staff'> }) =>
    codeOf(await inTx((tx) => confirmStaff(tx, { id, actor: as(by) })))
  /** The answer of the door to somebody with this session. */
  async function atDoor(opened: Awaited<ReturnType<typeof open>>, act: 'record.read' | 'patient.find' | 'staff.see') {
    const found = must(await accounts.session(opened))
    return forbiddenTo({ mayDo }, { act }, found.caller)?.code ?? 'ok'
  }

  it('an administrator who invites a doctor and opens the link herself reads nothing; the office confirms, never she', async () => {
    const { staff: administrator } = await accounts.joined('administrator')
    const { staff: second } = await accounts.joined('administrator')
    const { staff: dpo } = await accounts.joined('dpo')
    const ghost = await invited(administrator, 'doctor')
    assert.equal(await atDoor(ghost.opened, 'record.read'), 'staff/unconfirmed')
    assert.equal(await atDoor(ghost.opened, 'patient.find'), 'staff/unconfirmed')
    assert.equal(await confirm(administrator, ghost.staff), 'staff/not-yours-to-confirm')
    assert.equal(await confirm(second, ghost.staff), 'staff/not-yours-to-confirm', 'there is an office')
    assert.equal(await confirm(ghost.staff, ghost.staff), 'staff/not-yours-to-confirm')
    const puppet = await invited(administrator, 'dpo')
    assert.equal(await confirm(puppet.staff, ghost.staff), 'staff/not-yours-to-confirm', 'nobody confirmed her')
    assert.deepEqual((await inTx((tx) => confirmableBy(tx, dpo.id))).has(ghost.staff.id), true)
    assert.equal((await inTx((tx) => confirmableBy(tx, administrator.id))).size, 0)
    assert.equal(await confirm(dpo, ghost.staff), 'ok')
    assert.equal(await confirm(dpo, ghost.staff), 'ok')
    assert.equal(await atDoor(ghost.opened, 'record.read'), 'ok')
    assert.equal((await accounts.events()).filter((type) => type === 'staff.confirmed').length, 1)
    await inTx((tx) => suspendStaff(tx, { id: dpo.id, actor: operator }))
  })

  it('without an office another administrator does, who is not a puppet either; without her the operator', async () => {
    const { staff: administrator } = await accounts.joined('administrator')
    const { staff: second } = await accounts.joined('administrator')
    const ghost = await invited(administrator, 'nurse')
    const puppet = await invited(administrator, 'administrator')
    assert.equal(await atDoor(puppet.opened, 'staff.see'), 'ok', 'she administers')
    assert.equal(await confirm(puppet.staff, ghost.staff), 'staff/not-yours-to-confirm')
    assert.equal(await confirm(second, ghost.staff), 'ok')
    for (const { id, role } of await inTx(listStaff))
      if (role === 'administrator' && id !== administrator.id)
        await inTx((tx) => suspendStaff(tx, { id, actor: operator }))
    const another = await invited(administrator, 'nurse')
    assert.deepEqual(await inTx((tx) => whoMayConfirm(tx, another.staff.id)), { by: 'operator', people: [] })
    assert.equal(await confirm(administrator, another.staff), 'staff/not-yours-to-confirm')
    must(await inTx((tx) => confirmStaff(tx, { id: another.staff.id, actor: operator })))
    assert.equal(await atDoor(another.opened, 'patient.find'), 'ok')
  })

  it('who asked first is not let in by another administrator who asks after her', async () => {
    const { staff: first } = await accounts.joined('administrator')
    const { staff: second } = await accounts.joined('administrator')
    await inTx(async (tx) => {
      for (const { id, role, status } of await listStaff(tx))
        if (status === 'active' && (role === 'dpo' || role === 'records-officer'))
          must(await suspendStaff(tx, { id, actor: operator }))
    })
    const change = (id: Id<'staff'>, role: StaffRole, by: StaffMember) =>
      inTx((tx) => changeRole(tx, { id, role, actor: as(by) }))
    const ghost = await invited(first, 'front-desk')
    must(await change(ghost.staff.id, 'doctor', second))
    for (const one of [first, second]) assert.equal(await confirm(one, ghost.staff), 'staff/not-yours-to-confirm')
    assert.deepEqual(await inTx((tx) => whoMayConfirm(tx, ghost.staff.id)), { by: 'operator', people: [] })
    must(await inTx((tx) => confirmStaff(tx, { id: ghost.staff.id, actor: operator })))
    must(await change(ghost.staff.id, 'front-desk', second))
    assert.equal(await confirm(first, ghost.staff), 'ok', 'what she had asked was confirmed')
    must(await inTx((tx) => permitSso(tx, { id: ghost.staff.id, actor: as(first) })))
    must(await change(ghost.staff.id, 'doctor', second))
    assert.equal(await confirm(first, ghost.staff), 'staff/not-yours-to-confirm', 'she may still link a sign-in')
  })

  it('ways to sign in set up anew, and other work that opens more, wait again; before she joined nothing is confirmed', async () => {
    const { staff: administrator } = await accounts.joined('administrator')
    const { staff: records } = await accounts.joined('records-officer')
    const { staff: doctor } = await accounts.joined('doctor')
    const made = must(await inTx((tx) => resetSecondFactor(tx, { id: doctor.id, actor: as(administrator) })))
    assert.equal(await confirm(records, doctor), 'staff/not-now', 'whoever opens the link would be confirmed')
    const opened = await open(made.code)
    assert.equal(await atDoor(opened, 'record.read'), 'staff/unconfirmed')
    assert.equal(await confirm(records, doctor), 'ok')
    const role = (to: StaffRole) => inTx((tx) => changeRole(tx, { id: doctor.id, role: to, actor: as(administrator) }))
    must(await role('nurse'))
    assert.equal(await atDoor(opened, 'record.read'), 'ok', 'the same work')
    must(await role('front-desk'))
    assert.equal(await atDoor(opened, 'patient.find'), 'staff/unconfirmed', 'registers now')
    assert.equal(await confirm(records, doctor), 'ok')
    must(await role('doctor'))
    assert.equal(await atDoor(opened, 'record.read'), 'staff/unconfirmed')
    assert.equal(await confirm(records, doctor), 'ok')
  })

  it('an administrator who resets somebody and allows her a way in at the same moment does not keep the account confirmed', async () => {
    const { staff: administrator } = await accounts.joined('administrator')
    const { staff: doctor } = await accounts.joined('doctor')
    let allowed: Promise<unknown> = Promise.resolve()
    await inTx(async (tx) => {
      must(await resetSecondFactor(tx, { id: doctor.id, actor: as(administrator) }))
      allowed = inTx((other) => permitSso(other, { id: doctor.id, actor: as(administrator) }))
      await setTimeout(100)
    })
    assert.equal(codeOf(await allowed), 'staff/not-now')
    assert.equal(await inTx((tx) => isConfirmed(tx, doctor.id)), false)
  })

  it('who can only write in the database confirms nobody', async () => {
    const { staff: administrator } = await accounts.joined('administrator')
    const ghost = await invited(administrator, 'doctor')
    await accounts.database.db
      .updateTable('staff_confirmation')
      .set({ status: 'confirmed', confirmed_at: accounts.clock.now() })
      .where('staff', '=', ghost.staff.id)
      .execute()
    assert.equal(await atDoor(ghost.opened, 'record.read'), 'staff/unconfirmed')
    await accounts.database.db.deleteFrom('staff_confirmation').where('staff', '=', ghost.staff.id).execute()
    assert.equal(await atDoor(ghost.opened, 'record.read'), 'staff/unconfirmed')
    assert.ok(isRefusal(await inTx((tx) => confirmStaff(tx, { id: ghost.staff.id, actor: as(administrator) }))))
  })
})
