import { screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { ana, budi, makePipeline } from '../testing/make';
import { MEMBERS } from '../testing/people';
import { open } from '../testing/render';
import { piecesOf } from '../ui/Prose';

const kept = makePipeline();
const orphan = makePipeline({ name: 'orphan', title: 'Orphan', owner: null });
const left = makePipeline({ name: 'left', title: 'Left behind', owner: { ...budi, active: false } });
const world = { pipelines: [kept, orphan, left], members: MEMBERS };

describe('the list of pipelines, by who keeps them', () => {
  it('counts those without an active owner, and lists them alone', async () => {
    const { user, router } = open('/pipelines', world);
    await user.click(await screen.findByRole('radio', { name: 'No owner 2' }));
    await waitFor(() => expect(screen.queryByText('Handwritten digits')).not.toBeInTheDocument());
    expect(screen.getByRole('link', { name: 'Orphan' })).toBeVisible();
    expect(screen.getByRole('link', { name: 'Left behind' })).toBeVisible();
    expect(router.state.location.search).toEqual({ owner: 'none' });
  });

  it('lists one’s own from the address', async () => {
    open('/pipelines?owner=me', world);
    expect(await screen.findByRole('link', { name: 'Handwritten digits' })).toBeVisible();
    expect(screen.queryByRole('link', { name: 'Orphan' })).not.toBeInTheDocument();
  });

  it('says that an owner has left, and assigns another from the row', async () => {
    const { user, world: live } = open('/pipelines', { ...world, pipelines: [makePipeline({ name: 'left', owner: { ...budi, active: false } })] });
    expect(await screen.findByText('not active')).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Assign: ownership of left' }));
    const dialog = within(await screen.findByRole('dialog'));
    await user.type(dialog.getByRole('combobox', { name: 'Owner' }), 'chi');
    await user.click(await dialog.findByRole('option', { name: /Chitra Devi/ }));
    await user.click(dialog.getByRole('button', { name: 'Save' }));
    await waitFor(() => expect(live.pipelines[0]?.owner).toEqual({ username: 'chitra', name: 'Chitra Devi', active: true }));
    expect(await screen.findByText('Chitra Devi')).toBeVisible();
  });

  it('says so when every pipeline has an owner', async () => {
    open('/pipelines?owner=none', { ...world, pipelines: [kept] });
    expect(await screen.findByText('Every pipeline has an active owner')).toBeVisible();
  });
});

describe('ownership on the page of a pipeline', () => {
  it('shows owner, deputy, team, purpose and runbook, addresses as links', async () => {
    const pipeline = makePipeline({
      deputy: { ...budi, active: true },
      purpose: 'Reads postal codes.',
      runbook: 'See https://wiki.example.org/digits (page 2), never javascript:alert(1).',
    });
    open('/pipelines/demo:digits-training', { pipelines: [pipeline] });
    const section = within(await screen.findByRole('region', { name: 'Ownership' }));
    expect(section.getByText('Budi Santoso')).toBeVisible();
    expect(section.getByText('Reads postal codes.')).toBeVisible();
    const links = section.getAllByRole('link');
    expect(links.map((link) => link.getAttribute('href'))).toEqual(['https://wiki.example.org/digits']);
    expect(links[0]).toHaveAttribute('rel', 'noreferrer');
    expect(screen.queryByText('No active owner.')).not.toBeInTheDocument();
  });

  it('says that there is no active owner, and lets one be named by keyboard alone', async () => {
    const { user } = open('/pipelines/demo:orphan', { ...world, pipelines: [makePipeline({ name: 'orphan', owner: null })] });
    await user.click(await screen.findByRole('button', { name: 'Assign an owner: ownership of orphan' }));
    const owner = within(await screen.findByRole('dialog')).getByRole('combobox', { name: 'Owner' });
    owner.focus();
    await user.keyboard('{ArrowDown}');
    await screen.findByRole('option', { name: /Ana Lim/ });
    await user.keyboard('{ArrowDown}{Enter}');
    expect(owner).toHaveValue('Budi Santoso');
    await user.keyboard('{Enter}');
    await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
    expect(screen.queryByText('No active owner.')).not.toBeInTheDocument();
  });

  it('offers nothing to those who may not edit', async () => {
    open('/pipelines/demo:orphan', { pipelines: [makePipeline({ name: 'orphan', owner: null, can: { run: true, edit: false, pause: false } })] });
    expect(await screen.findByText('No active owner.')).toBeVisible();
    expect(screen.getByText(/the admins of the team are told when one fails/)).toBeVisible();
    expect(screen.queryByRole('button', { name: /ownership/ })).not.toBeInTheDocument();
  });

  it('sends only what was changed, and puts a refusal at its field', async () => {
    const gone = { ...MEMBERS[1]!, active: false };
    const pipeline = makePipeline({ owner: { ...ana, active: true } });
    const { user, world: live } = open('/pipelines/demo:digits-training', { pipelines: [pipeline], members: [MEMBERS[0]!, gone] });
    await user.click(await screen.findByRole('button', { name: 'Edit: ownership of digits-training' }));
    const dialog = within(await screen.findByRole('dialog'));
    await user.type(dialog.getByRole('textbox', { name: 'Purpose' }), 'For the post.');
    await user.type(dialog.getByRole('combobox', { name: 'Deputy' }), 'bud');
    await user.click(await dialog.findByRole('option', { name: /Budi/ }));
    await user.click(dialog.getByRole('button', { name: 'Save' }));
    expect(await dialog.findByText('Not an active member of the team.')).toBeVisible();
    expect(dialog.getByRole('combobox', { name: 'Deputy' })).toBeInvalid();
    await user.click(dialog.getByRole('button', { name: 'No deputy' }));
    await user.click(dialog.getByRole('button', { name: 'Save' }));
    await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
    expect(live.pipelines[0]).toMatchObject({ purpose: 'For the post.', deputy: null, owner: ana });
  });

  it('closes the list of people before the dialog on Escape, and says when nobody fits', async () => {
    const { user } = open('/pipelines/demo:digits-training', { pipelines: [makePipeline()], members: MEMBERS });
    await user.click(await screen.findByRole('button', { name: 'Edit: ownership of digits-training' }));
    const dialog = within(await screen.findByRole('dialog'));
    await user.type(dialog.getByRole('combobox', { name: 'Owner' }), 'zz');
    expect(await dialog.findByText('Nobody in the team is called “zz”.')).toBeVisible();
    await user.keyboard('{Escape}');
    expect(dialog.getByRole('combobox', { name: 'Owner' })).toHaveAttribute('aria-expanded', 'false');
    expect(screen.getByRole('dialog')).toBeVisible();
  });
});

describe('a text with addresses', () => {
  it('makes links of web addresses alone, without the end of the sentence', () => {
    expect(piecesOf('Go to https://a.b/c?d=1. Then HTTP://x.y!')).toEqual([
      { text: 'Go to ', href: null },
      { text: 'https://a.b/c?d=1', href: 'https://a.b/c?d=1' },
      { text: '. Then ', href: null },
      { text: 'HTTP://x.y', href: 'HTTP://x.y' },
      { text: '!', href: null },
    ]);
    expect(piecesOf('javascript:alert(1) file:///etc https://')).toEqual([
      { text: 'javascript:alert(1) file:///etc https://', href: null },
    ]);
  });
});
