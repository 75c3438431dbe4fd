import { z } from 'zod';
import type { AppApi } from './api.js';

const ROOT_DEPARTMENT = '1';

const Departments = z.object({ department: z.array(z.object({ id: z.number(), name: z.string().default('') })) });
const Users = z.object({
  userlist: z.array(
    z.object({ userid: z.string().min(1), name: z.string().default(''), department: z.array(z.number()).default([]) }),
  ),
});

export interface Listed {
  readonly userId: string;
  readonly name: string;
  readonly departments: readonly string[];
}

/**
 * Everybody whom the app may see, with the names of their departments.
 *
 * Source: developer.work.weixin.qq.com/document/path/90208 (department/list), 90200 (user/simplelist).
 */
export async function readDirectory(api: AppApi): Promise<Listed[]> {
  const { department } = await api.get('department/list', {}, Departments);
  const { userlist } = await api.get('user/simplelist', { department_id: ROOT_DEPARTMENT, fetch_child: '1' }, Users);
  const names = new Map(department.map((d) => [d.id, d.name]));
  return userlist
    .filter((u) => u.name !== '')
    .map((u) => ({
      userId: u.userid,
      name: u.name,
      departments: u.department.flatMap((id) => names.get(id) ?? []).filter((n) => n !== ''),
    }));
}
